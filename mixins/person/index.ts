// What a node says of the persons it keeps something of: its sections of an export, and how it erases one. `service()` makes of it
// what every such node must offer: the action `<node>.exportOf`, and a consumer that erases and gives the node's receipt.
//
//   person: {
//     exports: { notes: ({ profileIds }, after, limit, { db }) => notesOfAll(db, profileIds, after, limit) },
//     erase: ({ profileIds }, tx) => deleteNotesOf(tx, profileIds),
//   },
import type { ServiceBroker } from "moleculer";
import { problem } from "../../services/contracts/errors.ts";
import type { Ctx, Fact, KeeperName } from "../../services/contracts/index.ts";
import type { Infer } from "../../services/contracts/schema.ts";
import type { json } from "../../services/contracts/schema.ts";
import type { Consumer, NewFact } from "../facts/index.ts";
import { tellFacts } from "../facts/index.ts";
import { database } from "../postgres.ts";
import type { Tx } from "../postgres.ts";
import { forgetKept, rememberErased } from "./forget.ts";

export { erasedAmong } from "./forget.ts";

/** An account and all its profiles. */
export interface Person {
	readonly accountId: string;
	readonly profileIds: readonly string[];
}

/** One thing of an export. Its `key` says where it stands in its section, in the order of texts; it is not shown. */
export type Exported = { key: string };

/** Up to `limit` things after a key, in the order of their keys. */
export type Section<Node> = (person: Person, after: string | null, limit: number, node: Node) => Promise<readonly Exported[]>;

export interface EraseTools<Node> {
	node: Node;
	broker: ServiceBroker;
	/** To be called between the steps of what takes long: a transaction that is silent for half a minute is ended. */
	alive(): Promise<unknown>;
}

export interface PersonalData<Node> {
	/** What the node keeps of a person, without secrets and without what is others'. */
	exports: Readonly<Record<string, Section<Node>>>;
	/**
	 * Erases it. In `tx`, in which the receipt is given, or before its end in transactions of its own; safe to do twice. What comes
	 * of them later is for whoever writes it: `erasedAmong` says who is gone.
	 */
	erase(person: Person, tx: Tx, tools: EraseTools<Node>): Promise<unknown>;
}

/** Things of one section are asked for so many at a time, and so many bytes go into one answer: NATS carries a megabyte. */
const ROWS = 200;
const BYTES = 256 * 1024;

interface Portion {
	section: string;
	rows: Infer<typeof json>[];
	next: string | null;
}

/** The handler of `<node>.exportOf`. */
export const exportOf =
	<Node>({ exports }: PersonalData<Node>) =>
	async (ctx: Ctx<{ accountId: string; profileIds: string[]; from?: string | undefined }>, node: Node): Promise<Portion> => {
		const { from, ...person } = ctx.params;
		const sections = Object.entries(exports);
		const [index = "0", ...key] = (from ?? "0").split(" ");
		const at = Number(index);
		const [name, section] = sections[at] ?? [];
		if (!name || !section) throw problem("bad-cursor");
		const found = await section(person, key.length > 0 ? key.join(" ") : null, ROWS, node);
		const rows: Portion["rows"] = [];
		let bytes = 0;
		let last = "";
		for (const { key: own, ...row } of found) {
			bytes += Buffer.byteLength(JSON.stringify(row));
			if (rows.length > 0 && bytes > BYTES) break;
			rows.push(row as Portion["rows"][number]);
			last = own;
		}
		if (rows.length < found.length || found.length === ROWS) return { section: name, rows, next: `${at} ${last}` };
		return { section: name, rows, next: at + 1 < sections.length ? String(at + 1) : null };
	};

/** Tries before an erasure is a dead letter: about an hour. */
const TRIES = 70;

/** The consumer of a node that erases. */
export function eraser<Node>(
	home: KeeperName,
	{ erase }: PersonalData<Node>,
	nodeFor: (broker: ServiceBroker) => Node,
): Record<string, Consumer> {
	const handle = async ({ requestId, payload }: Fact<"identity.account.erased">, tx: Tx, broker: ServiceBroker): Promise<void> => {
		const { since, ...person } = payload;
		const { accountId } = person;
		const db = database(home);
		const ids = [accountId, ...person.profileIds];
		// Known to all at once: what other consumers have under way must not bring anything back.
		await rememberErased(db, ids, new Date());
		const alive = () => tx.query("select 1");
		await erase(person, tx, { node: nodeFor(broker), broker, alive });
		await forgetKept(db, ids, since);
		const receipt = { type: `${home}.person.erased`, aggregate: accountId, payload: { accountId } } as NewFact;
		await tellFacts(tx, { requestId, actor: null }, [receipt]);
	};
	return {
		[`${home}-persons`]: {
			facts: ["identity.account.erased"],
			maxTries: TRIES,
			async handle(facts, tx, { broker }) {
				for (const fact of facts) await handle(fact as Fact<"identity.account.erased">, tx, broker);
			},
		},
	};
}
