// The living processes of this Reloop as an operator's tool reaches them: over NATS those of the cluster, without it the one
// that runs with the same DATA_DIR on this machine.
import fs from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import { callAction } from "../mixins/call.ts";
import { controlFolder } from "../mixins/operators-socket.ts";
import type { ControlEntry } from "../mixins/operators-socket.ts";
import { nodesOf } from "../mixins/owners.ts";
import type { ActionName, Answer, ParamsIn } from "../services/contracts/index.ts";
import { isAlive } from "./lock-file.ts";
import { refusal } from "./refusal.ts";

export type OpsAction = Extract<ActionName, `ops.${string}`>;

export interface Reached {
	nodeId: string;
	/** Rejects where the process does not answer, or refuses. */
	ask<A extends OpsAction>(action: A, params: ParamsIn<A>): Promise<Answer<A>>;
}

/** A process that says nothing for so long (ms) is told as silent. */
const PATIENCE = 5_000;

/** The processes of the cluster that this broker is in. */
export function clusterProcesses(broker: ServiceBroker): Reached[] {
	const ids = nodesOf(broker, "ops.process").sort();
	return ids.map((nodeID) => ({
		nodeId: nodeID,
		ask: (action, params) => callAction(broker, action, params, { nodeID, timeout: PATIENCE }),
	}));
}

/** The processes that run without NATS on this machine, with this DATA_DIR. */
export function localProcesses(dataDir: string): Reached[] {
	const folder = controlFolder(dataDir);
	const names = fs.existsSync(folder) ? fs.readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
	return names.flatMap((name) => {
		const file = join(folder, name);
		const entry = readEntry(file);
		if (!entry) return [];
		return [{ nodeId: entry.nodeId, ask: (action, params) => askOver(entry.address, action, params) } satisfies Reached];
	});
}

/** Undefined for one that a killed process left behind: it is cleared away. */
function readEntry(file: string): ControlEntry | undefined {
	try {
		const entry = JSON.parse(fs.readFileSync(file, "utf8")) as ControlEntry;
		const pipe = process.platform === "win32";
		// Where the path was too long the socket is in a folder that anybody may write to: it must be of the same owner.
		const same = pipe || fs.lstatSync(entry.address).uid === fs.lstatSync(file).uid;
		if (isAlive(entry.pid) && same) return entry;
		fs.rmSync(file, { force: true });
		if (!pipe && same) fs.rmSync(entry.address, { force: true });
	} catch {
		// Gone this instant, or not ours to read.
	}
	return undefined;
}

function askOver<A extends OpsAction>(address: string, action: A, params: ParamsIn<A>): Promise<Answer<A>> {
	return new Promise((resolve, reject) => {
		const socket = connect(address);
		let text = "";
		socket.setEncoding("utf8").setTimeout(PATIENCE, () => socket.destroy(refusal("The process does not answer.")));
		socket.on("data", (chunk) => {
			text += chunk;
		});
		socket.once("error", (cause: NodeJS.ErrnoException) =>
			reject(cause.code ? refusal(`The process cannot be asked: ${cause.code}.`, cause) : cause),
		);
		socket.once("end", () => {
			try {
				const { answer, error } = JSON.parse(text) as { answer: Answer<A>; error?: string };
				if (error === undefined) resolve(answer);
				else reject(refusal(error));
			} catch (cause) {
				reject(refusal("The process went away before it answered.", cause));
			}
		});
		socket.end(JSON.stringify({ action, params }));
	});
}
