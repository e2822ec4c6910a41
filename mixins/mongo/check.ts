// MONGO_URL, looked at before anything is started.
import { setTimeout as pause } from "node:timers/promises";
import { refusal } from "../../config/refusal.ts";
import { type Adapter, adapterOf } from "./driver.ts";

const ANSWER_MS = 5_000;

/** Wrong for good, however long one waits. */
const FINAL = [
	{ says: /Authentication failed|auth failed|not authorized|requires authentication/i, sentence: "the server refuses this login" },
	{ says: /MongoParseError|ENOTFOUND _mongodb|URI|must be specified/i, sentence: "this is no URL that the driver understands" },
];

/** The name of the replica set that answers; none where a server stands alone. */
async function setName(adapter: Adapter): Promise<unknown> {
	adapter.init({}, { schema: { collection: "check" }, logger: { info() {}, warn() {}, error() {} } });
	await adapter.connect();
	return (await adapter.client?.db("admin").command({ isMaster: 1 }))?.setName;
}

/**
 * Looks whether the server of MONGO_URL can be used, before anything is started: waits for one that is not there yet, and
 * throws a sentence about one that is wrong.
 */
export async function checkMongo(
	{ MONGO_URL }: { MONGO_URL?: string | undefined },
	patienceMs: number,
	say: (sentence: string) => void,
): Promise<void> {
	if (MONGO_URL === undefined) return;
	const until = performance.now() + patienceMs;
	for (let said = false; ; said = true) {
		const adapter = adapterOf(MONGO_URL);
		const answered = new AbortController();
		try {
			// With some wrong options the driver neither asks nor gives up.
			const late = pause(ANSWER_MS, undefined, { signal: answered.signal }).then(() =>
				Promise.reject(new Error("The driver does not answer.")),
			);
			late.catch(() => {});
			if (await Promise.race([setName(adapter), late])) return;
			throw refusal("MONGO_URL must name a replica set (one member is enough): only there are writes of several documents whole.");
		} catch (error) {
			const { message, name, sentence } = error as Error & { sentence?: true };
			if (sentence) throw error;
			const wrong = FINAL.find(({ says }) => says.test(`${name} ${message}`));
			if (wrong) throw refusal(`MONGO_URL: ${wrong.sentence}.`, error);
			if (performance.now() > until)
				throw refusal("MONGO_URL: no server answers. Is MongoDB running, its replica set initiated, and reachable from here?", error);
			if (!said) say("MONGO_URL: no server answers yet; waiting for it.");
			await pause(500);
		} finally {
			answered.abort();
			adapter.client?.close().catch(() => {});
		}
	}
}
