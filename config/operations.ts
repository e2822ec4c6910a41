// What operators can do, as one table: `npm run admin -- <command>` and the REPL offer the same. A node that adds a command
// adds a row.
import { actors } from "./operations/actors.ts";
import { create, role, user } from "./operations/accounts.ts";
import { deadLetters, outbox, replayAll, status } from "./operations/facts.ts";
import { jobs } from "./operations/jobs.ts";
import { drain, nodes } from "./operations/processes.ts";
import type { Operation } from "./operations/row.ts";
import { rooms, sockets } from "./operations/sockets.ts";

export const operations: Readonly<Record<string, Operation>> = {
	status,
	nodes,
	rooms,
	sockets,
	actors,
	drain,
	outbox,
	"dead-letters": deadLetters,
	"replay-dead-letters": replayAll,
	jobs,
	user,
	create,
	role,
};
