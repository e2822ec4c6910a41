// A thread that computes argon2id hashes, one after another. Its priority is lower than that of the process: hashes take what the
// event loop and the database leave, so that nobody who chats waits for those who sign in.
// Plain JavaScript: a thread that must strip types first holds 20 MB more.
import { argon2Sync } from "node:crypto";
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";

const { nice, ...cost } = workerData;

// Linux alone has priorities of threads; elsewhere 0 would name the whole process (hashing.ts says undefined then).
if (nice !== undefined) {
	try {
		setPriority(0, nice);
	} catch {
		// A sandbox that forbids it: hashes are right at any priority.
	}
}

parentPort?.on("message", (given) => {
	parentPort?.postMessage(argon2Sync("argon2id", { ...given, ...cost }));
});
