// What is not ours to answer for (a disk, S3, the scanner) did not do as it should: operators read what, clients try again.
import type { ServiceBroker } from "moleculer";
import { problem } from "../../contracts/errors.ts";

/** @param what "kept", "read", "deleted", "scanned" */
export function unavailable(broker: ServiceBroker, what: string, error: unknown): never {
	broker.logger.error(`A picture could not be ${what}.`, {
		error: String(error),
		cause: String((error as { cause?: unknown })?.cause ?? ""),
	});
	throw problem("unavailable", { retryAfter: 5 });
}
