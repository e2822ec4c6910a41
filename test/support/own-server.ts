/**
 * A PostgreSQL of a test's own, which it may stop and start again: the embedded one in a folder, or, where the suite runs on a
 * server from outside (RELOOP_TEST_DATABASE_URL), one of that kind.
 */
import { startEmbedded } from "../../config/embedded-postgres.ts";
import { externalUrl } from "./database.ts";
import type { Server } from "./servers.ts";

export interface OwnServer {
	ownerUrl: string;
	stop(): Promise<void>;
}

const known = new Map<string, Server>();

/** Starts the server of a folder, with the data that it had; its address stays. */
export async function startOwnServer(folder: string): Promise<OwnServer> {
	if (!externalUrl) return startEmbedded(folder);
	// Loaded only here: the usual suite needs no server but its own.
	const { postgresServer } = await import("./servers.ts");
	const server = known.get(folder) ?? (await postgresServer());
	known.set(folder, server);
	await server.start();
	return { ownerUrl: server.url, stop: () => server.stop() };
}
