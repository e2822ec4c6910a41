// What operators can do, as one table: `npm run admin -- <command>` and the REPL offer the same.
import type { ServiceBroker } from "moleculer";
import { deadLetters, replayDeadLetters } from "../mixins/facts/inbox.ts";
import { unsentCount } from "../mixins/facts/outbox.ts";
import { database } from "../mixins/postgres.ts";
import { accountRole } from "../services/contracts/identity.ts";
import { nodesWithMigrations } from "./migrations.ts";

export interface Operation {
	usage: string;
	summary: string;
	/** What it takes after its name; `?` at the end marks one that may be left out. */
	args: readonly string[];
	run(broker: ServiceBroker, args: string[]): Promise<unknown>;
	/** What people read; `--json` shows the answer itself. */
	say(answer: never): string;
}

interface Status {
	nodes: Record<string, { database: "ok" | "down"; unsentFacts: number; deadLetters: number }>;
	deadLetters: number;
}

async function status(): Promise<Status> {
	const nodes: Status["nodes"] = {};
	for (const node of nodesWithMigrations()) {
		const db = database(node);
		nodes[node] = (await db.healthy())
			? { database: "ok", unsentFacts: await unsentCount(db), deadLetters: (await deadLetters(db)).length }
			: { database: "down", unsentFacts: 0, deadLetters: 0 };
	}
	return { nodes, deadLetters: Object.values(nodes).reduce((sum, node) => sum + node.deadLetters, 0) };
}

async function replay(factId?: string): Promise<{ replayed: number }> {
	let replayed = 0;
	for (const node of nodesWithMigrations()) replayed += await replayDeadLetters(database(node), factId);
	return { replayed };
}

export const operations: Record<string, Operation> = {
	create: {
		usage: "create <email> [password]",
		summary: "Make an administrator's account; prints a password when none is given.",
		args: ["email", "password?"],
		run: async (broker, [email, password]) => {
			const made = (await broker.call("auth.create", { email, ...(password ? { password } : {}) })) as { email: string; password: string };
			return { email: made.email, password: made.password };
		},
		say: ({ email, password }: { email: string; password: string }) => `${email} is an admin. Password: ${password}`,
	},
	role: {
		usage: "role <email> <role>",
		summary: `Give an account a role: ${accountRole.values.join(", ")}.`,
		args: ["email", "role"],
		run: (broker, [email, role]) => broker.call("auth.setRole", { email, role }),
		say: ({ email, role }: { email: string; role: string }) => `${email} has the role ${role}. Its sessions have ended.`,
	},
	status: {
		usage: "status",
		summary: "How the nodes are: databases, facts that wait, dead letters.",
		args: [],
		run: status,
		say: (answer: Status) =>
			Object.entries(answer.nodes)
				.map(
					([name, node]) =>
						`${name.padEnd(14)} database ${node.database}  unsent facts ${node.unsentFacts}  dead letters ${node.deadLetters}`,
				)
				.join("\n"),
	},
	"replay-dead-letters": {
		usage: "replay-dead-letters [factId]",
		summary: "Give facts that were given up another life: all of them, or one.",
		args: ["factId?"],
		run: (_broker, [factId]) => replay(factId),
		say: ({ replayed }: { replayed: number }) => `${replayed} dead letters will be tried again.`,
	},
};
