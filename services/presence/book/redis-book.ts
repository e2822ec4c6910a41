// Who is here, in Redis, the same for every process of this node. Each step is one script that runs as a whole (`scripts/`),
// by Redis's clock: no two processes need to agree on the time. Any process may ask for news; whoever gets them tells them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { natsOf } from "../../../mixins/nats.ts";
import type { RedisLink } from "../../../mixins/redis/link.ts";
import { problem } from "../../contracts/errors.ts";
import type { DoorReport, PresenceEntry } from "../../contracts/presence.ts";
import type { Heard, PresenceBook, Tidings } from "./book.ts";
import { GATHER, GRACE } from "../domain/presence.ts";
import type { Said, Seen } from "../domain/presence.ts";

/** A door that says nothing for so long (ms) is dead; it speaks every second. */
const SILENCE = 4_000;
/** Who got news has so long (ms) to tell them, before somebody else may. */
const LEASE = 2_000;
/** News are asked for so often (ms), also where this process was not stirred: another may have died. */
const TICK = 250;
/** After all was lost (a flush) doors need so long (ms) to say who is here; until then nobody is taken to be away. */
const SETTLING = 3_000;
const MOST_NEWS = 250;
const KEYS = ["presence:"];

const folder = join(import.meta.dirname, "scripts");
const lua = (name: string): string => readFileSync(join(folder, "common.lua"), "utf8") + readFileSync(join(folder, `${name}.lua`), "utf8");
const iso = (ms: string): string => new Date(Number(ms)).toISOString();

/** A list of `width` fields each, as scripts answer it. */
function* rows(flat: readonly (string | number)[], width: number): Generator<string[]> {
	for (let at = 0; at < flat.length; at += width) yield flat.slice(at, at + width).map(String);
}

export class RedisBook implements PresenceBook {
	readonly #broker: ServiceBroker;
	readonly #run: (name: string, args?: readonly (string | number)[]) => Promise<(string | number)[]>;

	constructor(broker: ServiceBroker, redis: RedisLink) {
		this.#broker = broker;
		const names = ["report", "set", "focus", "looking", "look", "here", "gone", "news", "told", "leaving"];
		const scripts = new Map(names.map((name) => [name, redis.script(`presence-${name}`, lua(name))]));
		this.#run = async (name, args = []) => {
			const script = scripts.get(name) as NonNullable<ReturnType<typeof scripts.get>>;
			try {
				return (await script(KEYS, [GATHER, GRACE, ...args])) as (string | number)[];
			} catch {
				throw problem("unavailable", { detail: "Who is here cannot be said now; try again shortly." });
			}
		};
	}

	async strangers(profileIds: readonly string[]): Promise<string[]> {
		const { here } = await this.#look(profileIds);
		return profileIds.filter((id) => !here.has(id));
	}

	async report({ instance, no, begin, count, opened, closed }: DoorReport, hidden: ReadonlySet<string>): Promise<Heard> {
		const came = opened.flatMap(({ connectionId, profileId, looks }) => [
			connectionId,
			profileId,
			hidden.has(profileId) ? 1 : 0,
			looks ?? "",
		]);
		const answer = await this.#run("report", [instance, no, begin ? 1 : 0, count, opened.length, ...came, ...closed]);
		return { known: answer[0] === 1, told: Number(answer[1]) };
	}

	async set(connectionId: string, profileId: string, said: Said): Promise<boolean> {
		return Number(await this.#run("set", [connectionId, profileId, said])) === 1;
	}

	async focus(connectionId: string, profileId: string, room: string | null): Promise<boolean> {
		return Number(await this.#run("focus", [connectionId, profileId, room ?? ""])) === 1;
	}

	async looking(pairs: readonly { profileId: string; room: string }[]): Promise<boolean[]> {
		if (pairs.length === 0) return [];
		const found = await this.#run(
			"looking",
			pairs.flatMap(({ profileId, room }) => [profileId, room]),
		);
		return found.map((one) => Number(one) === 1);
	}

	async look(profileIds: readonly string[]): Promise<Map<string, PresenceEntry>> {
		const { settled, here } = await this.#look(profileIds);
		if (settled) return here;
		return new Map(profileIds.map((profileId) => [profileId, here.get(profileId) ?? { profileId, status: "unknown", lastSeen: null }]));
	}

	async #look(profileIds: readonly string[]): Promise<{ settled: boolean; here: Map<string, PresenceEntry> }> {
		const here = new Map<string, PresenceEntry>();
		if (profileIds.length === 0) return { settled: true, here };
		const [settled, ...flat] = await this.#run("look", [SETTLING, ...profileIds]);
		let index = 0;
		for (const [said = "", offlineSince = ""] of rows(flat, 2)) {
			const profileId = profileIds[index++] as string;
			if (said === "hidden") here.set(profileId, { profileId, status: "offline", lastSeen: null });
			else if (offlineSince !== "") here.set(profileId, { profileId, status: "offline", lastSeen: iso(offlineSince) });
			else if (said !== "") here.set(profileId, { profileId, status: said as PresenceEntry["status"], lastSeen: null });
		}
		return { settled: settled === 1, here };
	}

	async here(after: string | null, limit: number): Promise<string[]> {
		return (await this.#run("here", [after ?? "", limit])).map(String);
	}

	async processGone(nodeId: string): Promise<void> {
		await this.#run("gone", [`${nodeId}|`]);
	}

	async news(): Promise<Tidings | undefined> {
		// Who cannot tell leaves it to others; and a door that we cannot hear is not dead.
		if (natsOf(this.#broker)?.connected === false) return undefined;
		const [number, more, ...flat] = await this.#run("news", [SILENCE, LEASE, MOST_NEWS]);
		const told = [...rows(flat, 7)].map(([id = "", status, changed, over, seenAt = "", hides, wentAt = ""]) => ({
			entry: { profileId: id, status, lastSeen: wentAt === "" ? null : iso(wentAt) } as PresenceEntry,
			changed: changed === "1",
			over: over === "1",
			seen: seenAt === "" ? [] : [{ profileId: id, lastSeen: iso(seenAt), hidden: hides === "1" }],
		}));
		if (told.length === 0) return undefined;
		return {
			number: Number(number),
			more: more === 1,
			changed: told.filter(({ changed }) => changed).map(({ entry }) => entry),
			seen: told.flatMap(({ seen }) => seen),
			confirm: told.flatMap(({ entry, over }) => [entry.profileId, entry.status, over ? 1 : 0]),
		};
	}

	async told({ confirm = [] }: Tidings): Promise<void> {
		await this.#run("told", confirm);
	}

	nextDue(): number {
		return Date.now() + TICK;
	}

	async leaving(): Promise<Seen[]> {
		return [...rows(await this.#run("leaving"), 3)].map(([profileId = "", leftAt = "", hides]) => ({
			profileId,
			lastSeen: iso(leftAt),
			hidden: hides === "1",
		}));
	}
}
