// What `npm run cluster` decides before it starts anything: which processes, where, and what is missing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Board } from "../../config/cluster/board.ts";
import { Keeper } from "../../config/cluster/keeper.ts";
import { planFor } from "../../config/cluster/plan.ts";
import { findPrograms } from "../../config/cluster/servers.ts";
import { columns } from "../../config/columns.ts";

const NODES = ["api", "gamification", "groups", "identity", "presence", "socket"];

describe("the plan", () => {
	test("has a process for each node, and two of those whose copies share something", () => {
		const plan = planFor({ NODES, PORT: 3000 }, undefined);
		assert.deepEqual(
			plan.map(({ name, port }) => `${name} ${port}`),
			[
				"api-1 3000",
				"api-2 3001",
				"gamification-1 3020",
				"groups-1 3021",
				"groups-2 3022",
				"identity-1 3023",
				"presence-1 3024",
				"socket-1 3010",
				"socket-2 3011",
			],
		);
	});

	test("follows SOCKET_PORT, and refuses ports that meet or do not exist", () => {
		const ports = planFor({ NODES: ["socket", "api"], PORT: 3000 }, 4000).map(({ port }) => port);
		assert.deepEqual(ports, [4000, 4001, 3000, 3001]);
		assert.throws(() => planFor({ NODES, PORT: 3000 }, 3001), /api-2 and socket-1 would both get port 3001/);
		assert.throws(() => planFor({ NODES, PORT: 65_530 }, undefined), /PORT is too high/);
	});
});

test("every server that is missing is named, with where it comes from and what would do instead", () => {
	assert.throws(
		() => findPrograms(["nats-server", "redis-server"], () => undefined),
		(error: Error) => {
			assert.match(error.message, /^nats-server is not installed .* NATS_URL\.\nredis-server is not installed .* REDIS_URL\.$/);
			return true;
		},
	);
	assert.deepEqual(
		findPrograms(["nats-server"], (name) => `/opt/${name}`),
		{ "nats-server": "/opt/nats-server" },
	);
});

describe("what is shown", () => {
	const program = {
		name: "api-1",
		command: "",
		args: [],
		environment: {},
		folder: "",
		log: "",
		ours: true,
		probe: async () => "ready" as const,
	};
	const keeper = new Keeper(program, () => {});
	const rows = [{ planned: { name: "api-1", node: "api", index: 1, port: 3000 }, keeper, url: "http://localhost:3000" }];

	test("in a file is a line for each change", () => {
		let text = "";
		const board = new Board(rows, { write: (more) => (text += more) });
		board.changed(keeper);
		board.say("Reloop is ready at http://localhost:3000");
		assert.equal(text, `api-1            starting                   http://localhost:3000\nReloop is ready at http://localhost:3000\n`);
	});

	test("in a terminal is one table, drawn over the one before it, with the last word below", () => {
		const drawn: string[] = [];
		const board = new Board(rows, { isTTY: true, write: (more) => drawn.push(more) });
		board.changed(keeper);
		board.say("Reloop is ready at http://localhost:3000");
		board.end();
		const table = "process  state     pid  up  restarts  at\napi-1    starting  -    -          0  http://localhost:3000\n";
		assert.deepEqual(drawn, [table, `\u001b[2A\u001b[J${table}Reloop is ready at http://localhost:3000\n`]);
	});

	test("stands in columns, numbers to the right", () => {
		assert.equal(
			columns([
				["room", "sockets", "x"],
				["group:1", 12, "a"],
				["profile:1", 3, ""],
			]),
			"room       sockets  x\ngroup:1         12  a\nprofile:1        3",
		);
	});
});
