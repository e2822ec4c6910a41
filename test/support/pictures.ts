// Pictures for tests, and how a client sends one.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { ServiceBroker } from "moleculer";
import sharp from "sharp";
import type { Sharp } from "sharp";
import { database } from "../../mixins/postgres.ts";
import { settings } from "../../mixins/settings.ts";
import type { Person, Reply } from "./client.ts";
import { http } from "./client.ts";
import { eventually } from "./eventually.ts";

const WIDTH = 200;
const HEIGHT = 100;

/** Colour without a pattern, so that no two pictures are alike; always the same for the same `seed`. */
export function pixels(seed: number, width = WIDTH, height = HEIGHT): Sharp {
	const data = Buffer.alloc(width * height * 3);
	let state = seed + 1;
	for (let at = 0; at < data.length; at++) {
		state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
		data[at] = state >>> 24;
	}
	return sharp(data, { raw: { width, height, channels: 3 } });
}

/** A PNG that nobody else has. */
export const anyPicture = (width?: number, height?: number): Promise<Buffer> =>
	pixels(Math.floor(Math.random() * 1e9), width, height)
		.png()
		.toBuffer();

export interface Form {
	/** Of the field. */
	field?: string;
	/** Of the file, as the client calls it. */
	name?: string;
	/** As the client calls it. */
	type?: string;
}

export const formOf = (bytes: Uint8Array, { field = "file", name = "picture", type = "application/octet-stream" }: Form = {}): FormData => {
	const form = new FormData();
	form.append(field, new Blob([new Uint8Array(bytes)], { type }), name);
	return form;
};

/** Sends a file as a form. */
export const sendFile = (
	url: string,
	by: Pick<Person, "accessToken"> | undefined,
	bytes: Uint8Array,
	options: Form & { headers?: Record<string, string> } = {},
): Promise<Reply> =>
	http(url, "/api/uploads", {
		method: "POST",
		token: by?.accessToken,
		body: formOf(bytes, options),
		headers: { "Idempotency-Key": randomUUID(), ...options.headers },
	});

/** Somebody's upload of a picture that nobody else has; its id. */
export async function uploadOf(url: string, by: Pick<Person, "accessToken">): Promise<string> {
	const { status, body } = await sendFile(url, by, await anyPicture());
	if (status !== 201) throw new Error(`The upload was answered ${status}: ${JSON.stringify(body)}`);
	return body.id;
}

/** What is behind a link, as anybody gets it. */
export async function fetchPicture(link: string, headers: Record<string, string> = {}) {
	const response = await fetch(link, { headers });
	return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

/** How many files of pictures are in the folder of a process. */
export async function filesKept(broker: ServiceBroker): Promise<number> {
	const files = await readdir(join(settings(broker).DATA_DIR, "uploads"), { recursive: true });
	return files.filter((file) => /[/\\][0-9a-f]{64}[/\\]/.test(file)).length;
}

/** Resolved when so many pieces of uploads wait: those of one that failed are forgotten after its answer. */
export const piecesKept = (count: number): Promise<void> =>
	eventually(async () => {
		const [row] = await database("catalog").query<{ count: number }>("select count(*)::int as count from pieces");
		assert.equal(row?.count, count);
	});
