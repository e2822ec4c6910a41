// The long work of this node: telling many people something.
import { workOf } from "../../../mixins/work/index.ts";
import type { WorkTools } from "../../../mixins/work/index.ts";
import type { Params } from "../../contracts/index.ts";
import type { Json } from "../../contracts/infer.ts";

export interface Broadcast {
	/** By language; `en` is there. */
	texts: { en: Words } & { [language: string]: Words | undefined };
	data: { [name: string]: Json };
	whom: Pick<Params<"identity.audience">, "role" | "area" | "profileIds">;
	/** Whoever was there then: ISO 8601. */
	before: string;
}
export type Words = { title: string; body: string };
/** `recipients`: who was meant; `notified`: who has something of it, in the inbox or by another channel. */
export type BroadcastResult = { recipients: number; notified: number };

// Loaded when it runs: what it changes plans jobs, and the table of those has this one in it.
const run = async (broadcast: Broadcast, tools: WorkTools): Promise<BroadcastResult> =>
	(await import("./run.ts")).tellMany(broadcast, tools);

export const presenceWork = workOf("presence", { "notifications.send": { run }, "notifications.broadcast": { run } });
