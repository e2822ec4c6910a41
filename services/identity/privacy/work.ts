// The long work of this node: exports, and erasures until every receipt is in.
import { createHmac, timingSafeEqual } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { keyFor } from "../../../mixins/secret.ts";
import { settings } from "../../../mixins/settings.ts";
import { workOf } from "../../../mixins/work/index.ts";
import type { WorkTools } from "../../../mixins/work/index.ts";
import type { BulkResult, BulkStatus } from "../users/bulk-status.ts";
import { exportAll, tellReady } from "./export.ts";

/** The key in an export's link: made of its id by a key of ours, so that it is stored nowhere and cannot be guessed. */
function keyOfExport(broker: ServiceBroker, exportId: string): string {
	const secret = keyFor(settings(broker).SECRET_KEY, "links to archives of exports");
	return createHmac("sha256", secret).update(exportId).digest("base64url");
}

export function opensExport(broker: ServiceBroker, exportId: string, key: string): boolean {
	const [right, given] = [Buffer.from(keyOfExport(broker, exportId)), Buffer.from(key)];
	return right.length === given.length && timingSafeEqual(right, given);
}

const isOver = (result: object): result is { expiresAt: string } => "expiresAt" in result;

export const identityWork = workOf("identity", {
	export: {
		run: exportAll,
		ended: (tx, { broker, input }) => tellReady(broker, tx, input),
		secret: true,
		/** Kept is when the link ends; the link itself is made for whoever may see it. */
		shown: (result, { id, broker }) => {
			if (typeof result !== "object" || !isOver(result)) return result;
			const url = new URL(`/api/exports/${id}`, settings(broker).PUBLIC_URL);
			url.searchParams.set("key", keyOfExport(broker, id));
			return { url: url.href, expiresAt: result.expiresAt };
		},
	},
	"users.bulk-status": {
		// Loaded when it runs: what it changes plans jobs, and the table of those has this one in it.
		run: async (work: BulkStatus, tools: WorkTools): Promise<BulkResult> =>
			(await import("../users/bulk-status.ts")).bulkStatus(work, tools),
	},
	/** Each node does its part when it hears of it; receipts.ts ends it. */
	erase: {},
});
