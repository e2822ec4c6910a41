// An archive as its owner opens it: fetched by its link, read by another library than the one that wrote it.
import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import yauzl from "yauzl";
import type { Person } from "./client.ts";
import { is } from "./client.ts";
import { eventually } from "./eventually.ts";

// biome-ignore lint/suspicious/noExplicitAny: what is in an archive is read as its owner reads it
export type Archive = Record<string, any>;

/** The files of a ZIP by name, each as the JSON it is. */
export async function unzip(bytes: Buffer): Promise<Archive> {
	const zip = await yauzl.fromBufferPromise(bytes, { lazyEntries: true, strictFileNames: true });
	const files: Archive = {};
	for await (const entry of zip.eachEntry()) {
		assert.ok(!Object.hasOwn(files, entry.fileName), `${entry.fileName} is there twice`);
		files[entry.fileName] = JSON.parse(await text(await zip.openReadStreamPromise(entry)));
	}
	return files;
}

/** Fetches a link without any token. `url`: where the door is, whatever the link says. */
export async function fetchArchive(url: string, link: string): Promise<{ status: number; headers: Headers; bytes: Buffer }> {
	const { pathname, search } = new URL(link);
	const response = await fetch(new URL(pathname + search, url));
	return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

/** The job when it is over. */
// biome-ignore lint/suspicious/noExplicitAny: a job as clients read it
export const ended = (look: () => Promise<{ status: number; body: any }>, state: "done" | "failed" = "done"): Promise<any> =>
	eventually(async () => {
		const { status, body } = await look();
		assert.deepEqual([status, body.state], [200, state], JSON.stringify(body));
		return body;
	}, 20_000);

/** Everything that is kept of somebody, as they get it. */
export async function exported(url: string, person: Person): Promise<Archive> {
	const { body: job } = is(await person.post("/api/auth/me/export"), 202);
	const { result } = await ended(() => person.get(`/api/jobs/${job.id}`));
	const { status, bytes } = await fetchArchive(url, result.url);
	assert.equal(status, 200);
	return unzip(bytes);
}
