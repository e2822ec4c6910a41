// CONTRIBUTING.md does what it says: its recipes are followed to the letter in a copy of the project, which is then checked,
// started, called and thrown away.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { systemEnvironment } from "../../../config/env.ts";
import { connect, person, say } from "../../support/client.ts";
import { eventually } from "../../support/eventually.ts";
import { blocksOf, follow, patched } from "../../support/recipe.ts";
import { startProcess } from "../../support/process.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
/** What a clone has; installed packages are the same. */
const isSource = (file: string) => !/^(node_modules|\.git|\.data.*|\.ci-bin|\.venv-ci)$/.test(path.relative(ROOT, file));

const made: string[] = [];
/** A clone to work in. */
async function clone(): Promise<string> {
	const root = await mkdtemp(path.join(tmpdir(), "reloop-recipe-"));
	made.push(root);
	await cp(ROOT, root, { recursive: true, filter: isSource });
	await symlink(path.join(ROOT, "node_modules"), path.join(root, "node_modules"));
	return root;
}

let page: string;
before(async () => {
	page = await readFile(path.join(ROOT, "CONTRIBUTING.md"), "utf8");
});
after(() => Promise.all(made.map((root) => rm(root, { recursive: true, force: true }))));

/** What is typed at the end of a recipe; answers what it printed, and fails with it. */
const typed = async (root: string, command: string): Promise<string> => {
	const { TEST_DATABASE_URL: _url, NODE_TEST_CONTEXT: _context, ...env } = systemEnvironment();
	const run = promisify(execFile)("bash", ["-c", command], { cwd: root, env: { ...env, SECRET_KEY: undefined } });
	const { stdout, stderr } = await run.catch((error) => assert.fail(`${command}\n${error.stdout}${error.stderr}`));
	return stdout + stderr;
};

/** A test of the recipes' node that is not on the page: its job comes in the middle of a request. */
const RACE = `import assert from "node:assert/strict";
import { test } from "node:test";
import { database } from "../../mixins/node.ts";
import { deleteNote } from "../../services/notes/store.ts";
import { eventually, groupOf, person, testApp } from "../support/kit.ts";

const app = await testApp();

test("a note that expires while it is being shared is not there", async () => {
	const ana = await person(app.url, "Ana");
	const groupId = await groupOf(ana);
	const { body: note } = await ana.post("/api/notes", { text: "Zips" });
	const expiring = await database("notes").tx(async (tx) => {
		await deleteNote(tx, note.id);
		const share = ana.post(\`/api/notes/\${note.id}/share\`, { groupId });
		const waiting = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
		await eventually(async () => assert.equal((await database("notes").query(waiting)).length, 1));
		return { share };
	});
	assert.equal((await expiring.share).status, 404);
});
`;

describe("the recipes of CONTRIBUTING.md", () => {
	let root: string;
	let isMade = false;

	it("make a node that is checked by every check of the house", { timeout: 240_000 }, async () => {
		root = await clone();
		for (const block of blocksOf(page)) {
			await follow(root, block);
			if (block.language === "bash") for (const command of block.text.trim().split("\n")) await typed(root, command);
		}
		isMade = true;
	});

	it("make a node whose decisions hold while something else happens", { timeout: 60_000 }, async (test) => {
		if (!isMade) return test.skip("the recipes have made no node");
		await writeFile(path.join(root, "test/service/notes-race.test.ts"), RACE);
		await typed(root, "npm run test:one -- test/service/notes-race.test.ts");
	});

	it("make a node that does not start where a line for its jobs is left out", { timeout: 60_000 }, async (test) => {
		if (!isMade) return test.skip("the recipes have made no node");
		const file = path.join(root, "services/notes/notes.service.ts");
		const whole = await readFile(file, "utf8");
		await writeFile(file, whole.replace("\tjobs,\n", ""));
		await assert.rejects(typed(root, "npm run admin -- notes"), /The node notes has jobs that nobody does/);
		await writeFile(file, whole);
	});

	it("make a node that answers over HTTP and sockets, and comes to its time", async (test) => {
		if (!isMade) return test.skip("the recipes have made no node");
		const running = await startProcess(path.join(root, ".data"), {}, root);
		try {
			const ana = await person(running.url, "Ana");
			const socket = await connect(running.url, ana.accessToken);
			const heard: unknown[] = [];
			socket.on("events", ({ events }) => heard.push(...events));
			const kept = (await ana.post("/api/notes", { text: "over HTTP" })).body;
			await say(socket, "note:create", { text: "over a socket" });
			const gone = (await ana.post("/api/notes", { text: "for a second", expiresInSeconds: 1 })).body;
			await eventually(() => assert.ok(heard.some((event) => (event as { noteId?: string }).noteId === gone.id)));
			const own = `profile:${ana.profileId}`;
			const { rooms } = await say(socket, "resume", { rooms: { [own]: 0 } });
			assert.ok(rooms[own].events.some(({ noteId }: { noteId?: string }) => noteId === gone.id));
			const { body } = await ana.get("/api/notes");
			assert.deepEqual(
				body.data.map(({ text }: { text: string }) => text),
				["over a socket", "over HTTP"],
			);
			assert.deepEqual((await ana.get(`/api/notes/${kept.id}`)).body, kept);
			assert.equal((await ana.get("/api/notes/health")).body.status, "ok");
			socket.close();
		} finally {
			await running.end();
		}
	});
});

describe("following a recipe", () => {
	it("is possible where somebody has followed it before, for a node of another name", { timeout: 60_000 }, async () => {
		const root = await clone();
		// As long as the name it stands for: lines stay as long as they are written.
		const theirs = page.replaceAll("note", "memo").replaceAll("Note", "Memo");
		for (const block of [...blocksOf(theirs), ...blocksOf(page)]) await follow(root, block);
		const printed = await typed(root, "npm run typecheck && npm run lint");
		assert.ok(!printed.includes("\u001b"), "it colours what no terminal shows");
	});

	it("finds the place of a change by its lines", () => {
		assert.equal(patched("a\nb\nc\nd\n", " a\n+new\n …\n-c\n+C\n"), "a\nnew\nb\nC\nd\n");
	});

	it("says which lines are not there, or are there twice", () => {
		assert.throws(() => patched("a\nb\n", " x\n+new\n"), /0 places instead of one have these lines:\nx/);
		assert.throws(() => patched("a\na\n", " a\n+new\n"), /2 places/);
	});

	it("says what to do where the house is another than the page says", async () => {
		const block = { language: "diff", file: "package.json", text: " nothing like it\n+new\n", heading: "Add a node" };
		await assert.rejects(follow(ROOT, block), /CONTRIBUTING\.md, "Add a node", package\.json: 0 places[\s\S]*change this block/);
	});
});
