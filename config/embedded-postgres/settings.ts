// How the server is set, and how it is reached.

/** What the server is told at each start, and why. Durability stays at its defaults: fsync and synchronous_commit are on. */
export const settings: Record<string, string | number> = {
	listen_addresses: "127.0.0.1",
	unix_socket_directories: "", // a path of a project may be longer than a socket's name may be
	shared_buffers: "64MB", // a laptop runs this beside everything else
	max_connections: 100, // eight per node and process, one to listen, and some for tools
	superuser_reserved_connections: 3,
	jit: "off", // compiles for longer than our short statements run
	max_parallel_workers_per_gather: 0, // the machine's cores belong to Node; no statement of ours scans much
	io_method: "sync", // spares three reader processes
	wal_level: "minimal", // no replica hangs on this server
	max_wal_senders: 0,
	log_min_messages: "warning",
	log_checkpoints: "off",
	timezone: "UTC",
	log_timezone: "UTC",
};

/** The longest a start may take (ms), and another process's start is waited for. */
export const START_LIMIT_MS = 60_000;
export const OWNER = "reloop";
const DATABASE = "postgres"; // initdb made it; a database of our own would cost each first start another 50 ms

/** Connects as the superuser. */
export function ownerUrl({ port, password }: { port: number; password: string }): string {
	return `postgres://${OWNER}:${password}@127.0.0.1:${port}/${DATABASE}`;
}
