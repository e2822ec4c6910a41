// Who is in the groups that are followed here, asked anew where something of a group's log did not come: frames and words of a removal
// may be lost, and who is out must not hear who is here. Asked as one of those who follow: once for a group, however many they are.
import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBroker } from "moleculer";
import { isProblem } from "../../contracts/errors.ts";
import type { Answer, ParamsIn } from "../../contracts/index.ts";
import type { Follower, Interest } from "./interest.ts";

/** What is missed within so long (ms) is asked for once. */
const GATHER = 100;
/** After a question that was not answered, the next one comes so much later (ms). */
const AGAIN = 1_000;
const PORTION = 500;
/** What a group answers to who is no member, or where it is no more. */
const OUT = ["not-member", "not-found", "gone"] as const;

type Asked = "groups.memberIds" | "groups.membersAmong";
/** Asks a node as a socket's owner. */
export type AskAs = <A extends Asked>(follower: Follower, action: A, params: ParamsIn<A>) => Promise<Answer<A>>;

export class Roll {
	readonly #broker: ServiceBroker;
	readonly #interest: Interest;
	readonly #ask: AskAs;
	readonly #doubted = new Set<string>();
	#running = false;
	#stopped = false;

	constructor(broker: ServiceBroker, interest: Interest, ask: AskAs) {
		this.#broker = broker;
		this.#interest = interest;
		this.#ask = ask;
	}

	/** Who is in this group is not known for sure. */
	doubt(groupId: string): void {
		this.#doubted.add(groupId);
		if (!this.#running) void this.#run();
	}

	stop(): void {
		this.#stopped = true;
	}

	async #run(): Promise<void> {
		this.#running = true;
		let wait = GATHER;
		while (this.#doubted.size > 0) {
			await pause(wait, undefined, { ref: false });
			if (this.#stopped) break;
			wait = GATHER;
			for (const groupId of [...this.#doubted]) {
				this.#doubted.delete(groupId);
				try {
					await this.#call(groupId);
				} catch (error) {
					this.#broker.logger.debug("Who is in a group could not be asked; it is asked again.", { groupId, error: String(error) });
					this.#doubted.add(groupId);
					wait = AGAIN;
				}
			}
		}
		this.#running = false;
	}

	async #call(groupId: string): Promise<void> {
		for (let [follower] = this.#interest.followersOf(groupId); follower; [follower] = this.#interest.followersOf(groupId)) {
			try {
				const about = this.#interest.beginRoll(groupId);
				const { profileIds, memberCount } = await this.#ask(follower, "groups.memberIds", { groupId });
				const members = new Set<string>(profileIds);
				const others = about.filter((id) => !members.has(id));
				const whole = memberCount <= profileIds.length;
				for (let from = 0; from < others.length && !whole; from += PORTION) {
					const among = await this.#ask(follower, "groups.membersAmong", { groupId, profileIds: others.slice(from, from + PORTION) });
					for (const id of among.profileIds) members.add(id);
				}
				return this.#interest.endRoll(groupId, about, members, whole);
			} catch (error) {
				// Who asks is out themselves, or the group is gone: the next one is asked for.
				if (!OUT.some((code) => isProblem(error, code))) throw error;
				this.#interest.unfollowGroup(follower, groupId);
			}
		}
	}
}
