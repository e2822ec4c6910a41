// How a node is: fine when its own database answers.
import { database } from "./postgres.ts";

/** The health action of a node. It never throws: a node that cannot reach its database says so. */
export function healthOf(node: string): () => Promise<{ status: "ok" | "down"; checks: Record<string, { status: "ok" | "down" }> }> {
	return async () => {
		const status = (await database(node).healthy()) ? "ok" : "down";
		return { status, checks: { database: { status } } };
	};
}
