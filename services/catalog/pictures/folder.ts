// Pictures in DATA_DIR/uploads. The folder has a name, which the database knows: a process that looks into another one, because its
// disk is new or not the others', says so instead of serving nothing.
import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBroker } from "moleculer";
import { database, newId, settings } from "../../../mixins/node.ts";
import { nodesOf } from "../../../mixins/owners.ts";
import { refusal } from "../../../mixins/refusal.ts";
import { settleFolder } from "../store/files.ts";
import type { Shelf } from "./shelf.ts";
import { unavailable } from "./unavailable.ts";

const NAME_FILE = ".name";

export function folderShelf(broker: ServiceBroker): Shelf {
	const { DATA_DIR, UPLOADS_SHARED } = settings(broker);
	const home = join(DATA_DIR, "uploads");
	const folderOf = (digest: string) => join(home, digest.slice(0, 2), digest);
	const guarded = <T>(what: string, work: Promise<T>): Promise<T> => work.catch((error) => unavailable(broker, what, error));

	return {
		put: (digest, size, _type, bytes) => guarded("kept", putInto(folderOf(digest), size, bytes)),

		read: (digest, size, from, length) =>
			guarded(
				"read",
				(async () => {
					await using file = await open(join(folderOf(digest), size));
					const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, from);
					return buffer.subarray(0, bytesRead);
				})(),
			),

		drop: (digest) => guarded("deleted", rm(folderOf(digest), { recursive: true, force: true, maxRetries: 5 })),

		async start() {
			const others = nodesOf(broker, "uploads.create").filter((id) => id !== broker.nodeID);
			if (others.length > 0 && !UPLOADS_SHARED)
				throw refusal(
					`The node catalog runs already (${others.join(", ")}), and keeps pictures in a folder of its own: set S3_ENDPOINT and its like, or UPLOADS_SHARED=true where DATA_DIR/uploads is the same folder for all.`,
				);
			await mkdir(home, { recursive: true });
			const own = await nameOf(home);
			const name = await settleFolder(database("catalog"), own);
			if (name !== own)
				throw refusal(
					`The pictures that the database knows are not in ${home}: they are in the folder whose ${NAME_FILE} says ${name}. Set DATA_DIR to where that is, or copy it.`,
				);
		},
	};
}

/**
 * Under its name it is whole, or it is not there. Where somebody deletes the folder meanwhile, because nobody had the
 * picture until now (sweep.ts), it is made again.
 */
async function putInto(folder: string, size: string, bytes: Buffer, tries = 5): Promise<void> {
	try {
		await mkdir(folder, { recursive: true });
		const draft = join(folder, `${newId()}.part`);
		await writeFile(draft, bytes, { flush: true });
		await rename(draft, join(folder, size));
	} catch (error) {
		if (tries === 0 || (error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
		await putInto(folder, size, bytes, tries - 1);
	}
}

/** The name of a folder; of two processes that find it without one, one names it. */
async function nameOf(home: string): Promise<string> {
	const file = join(home, NAME_FILE);
	await writeFile(file, newId(), { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
		if (error.code !== "EEXIST") throw error;
	});
	// The other one may not have written it yet.
	for (let tries = 0; tries < 50; tries++) {
		const name = await readFile(file, "utf8");
		if (name.length === newId().length) return name;
		await pause(20);
	}
	throw refusal(`${file} should hold the name of the folder of pictures, and does not: delete it.`);
}
