// An export: every node is asked, section by section, what it keeps of a person, and the answers run through a ZIP into the database;
// nothing of it is ever in memory as a whole.
import { Readable } from "node:stream";
import type { ServiceBroker } from "moleculer";
import yazl from "yazl";
import { callAction } from "../../../mixins/call.ts";
import type { Person } from "../../../mixins/person/index.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { settings } from "../../../mixins/settings.ts";
import type { WorkTools } from "../../../mixins/work/index.ts";
import { problem } from "../../contracts/errors.ts";
import type { KeeperName } from "../../contracts/index.ts";
import { keeperNames } from "../../contracts/index.ts";
import { identityMail } from "../mail/mails.ts";
import { addPart, beginArchive, endArchive } from "../store/exports.ts";
import { findAddressee } from "../store/recovery.ts";

/** How long a link is good. */
const VALID_MS = 24 * 3_600_000;
/** One piece in the database and on its way to a door: in base64 it fits into a message of NATS. */
const PART_BYTES = 512 * 1024;
/** Larger archives are refused, so that nobody fills the database. */
const MOST_BYTES = 512 * 1024 * 1024;

/** How many things each section of a node's file has. */
type Counts = Record<string, number>;

/** A node's file, as it comes: `{"section": [thing, …], …}`. `counts` is filled meanwhile. */
async function* fileOf(broker: ServiceBroker, node: KeeperName, { accountId, profileIds }: Person, counts: Counts): AsyncGenerator<string> {
	let open: string | undefined;
	let from: string | undefined;
	do {
		const asked = { accountId, profileIds: [...profileIds], ...(from === undefined ? {} : { from }) };
		const { section, rows, next } = await callAction(broker, `${node}.exportOf`, asked);
		if (section !== open) yield `${open === undefined ? "{" : "\n  ],"}\n  ${JSON.stringify(section)}: [`;
		const before = section === open ? (counts[section] ?? 0) : 0;
		open = section;
		counts[section] = before + rows.length;
		for (const [index, row] of rows.entries()) yield `${before + index > 0 ? "," : ""}\n    ${JSON.stringify(row)}`;
		from = next ?? undefined;
	} while (from !== undefined);
	yield "\n  ]\n}\n";
}

interface Manifest {
	format: 1;
	accountId: string;
	profileIds: readonly string[];
	madeAt: string;
	files: Record<string, { node: string; sections: Counts }>;
}

/** The archive's bytes; throws what a node's answer throws. The manifest is its last entry: it says what is in the others. */
function archiveOf(broker: ServiceBroker, person: Person, now: Date, asked: (nodes: number) => Promise<void>): AsyncIterable<Buffer> {
	const zip = new yazl.ZipFile();
	const bytes = zip.outputStream as Readable;
	const fail = (error: unknown) => void bytes.destroy(error instanceof Error ? error : new Error(String(error)));
	const add = (name: string, text: () => AsyncGenerator<string>) =>
		zip.addReadStreamLazy(name, { mtime: now }, (begin) => {
			// The ZIP does not hear when what it reads breaks off: nobody would, and the archive would wait for ever.
			begin(null, Readable.from(text()).on("error", fail));
		});
	const manifest: Manifest = { format: 1, ...person, madeAt: now.toISOString(), files: {} };
	for (const [index, node] of keeperNames.entries()) {
		const counts: Counts = {};
		add(`${node}.json`, async function* () {
			yield* fileOf(broker, node, person, counts);
			manifest.files[`${node}.json`] = { node, sections: counts };
			await asked(index + 1);
		});
	}
	add("manifest.json", async function* () {
		yield `${JSON.stringify(manifest, null, 2)}\n`;
	});
	zip.on("error", fail);
	zip.end();
	return bytes;
}

/** Mails that it is there, to an address that was proved: to a page, since what a mailbox opens by itself is everything. */
export async function tellReady(broker: ServiceBroker, tx: Tx, { accountId }: Person): Promise<void> {
	const account = await findAddressee(tx, { id: accountId });
	if (!account || account.verifiedAt === null) return;
	const { email: to, language } = account;
	const link = `${settings(broker).PUBLIC_URL}/export`;
	await identityMail.on(broker)(tx, { to, language, template: "exportReady", values: { link } });
}

/** The work of an export. Begun again after a crash it begins from the start. */
export async function exportAll(person: Person, { id, db, broker, signal, progress }: WorkTools): Promise<{ expiresAt: string }> {
	const now = new Date();
	const archive = await beginArchive(db, id, person.accountId, { madeAt: now, expiresAt: new Date(now.getTime() + VALID_MS) });
	if (!archive) throw problem("gone", { detail: "The account was erased meanwhile." });
	await progress(0, keeperNames.length);
	let waiting: Buffer[] = [];
	let [length, size, parts] = [0, 0, 0];
	const flush = async () => {
		await addPart(db, archive, parts++, Buffer.concat(waiting));
		[waiting, length] = [[], 0];
	};
	for await (const chunk of archiveOf(broker, person, now, progress)) {
		signal.throwIfAborted();
		for (let at = 0; at < chunk.length; ) {
			const piece = chunk.subarray(at, at + PART_BYTES - length);
			waiting.push(piece);
			at += piece.length;
			length += piece.length;
			if (length === PART_BYTES) await flush();
		}
		size += chunk.length;
		if (size > MOST_BYTES) throw problem("too-large", { detail: `The archive would be larger than ${MOST_BYTES} bytes.` });
	}
	if (length > 0) await flush();
	const expiresAt = new Date(Date.now() + VALID_MS);
	await endArchive(db, archive, { size, parts, expiresAt });
	return { expiresAt: expiresAt.toISOString() };
}
