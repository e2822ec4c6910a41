// The routes table is held against the contracts before the door opens.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import type { ActionTable } from "../../services/api/compiled-route.ts";
import { makeRouter } from "../../services/api/router.ts";
import type { Route } from "../../services/api/route.ts";
import { routes, rowsOf } from "../../services/api/routes/index.ts";
import { allActions } from "../../services/contracts/index.ts";
import { array, bool, int, object, text, uuid } from "../../services/contracts/schema.ts";

const answer = object({ id: uuid, name: text(1, 10) });
const actions: ActionTable = {
	"things.list": { params: { limit: int(1, 100), all: bool, ids: array(uuid), q: text(0, 10) }, answer, published: true },
	"things.show": { params: { thingId: uuid }, answer, published: true },
	"things.part": { params: { thingId: uuid, seq: int(1), name: text(1, 5) }, answer, published: true },
	"things.make": { params: { name: text(1, 10) }, answer, published: true },
	"things.secret": { params: {}, answer, published: false },
};
const row = (over: Partial<Record<keyof Route, unknown>>): Route =>
	({ method: "GET", path: "/things", action: "things.list", access: "signed-in", ...over }) as unknown as Route;
const list = row({});
const show = row({ path: "/things/:thingId", action: "things.show" });
const make = row({ method: "POST", action: "things.make" });
const faults = (...rows: Route[]): string => {
	try {
		makeRouter(rows, actions);
	} catch (error) {
		return (error as Error).message;
	}
	return "";
};

describe("the routes table", () => {
	it("is sound as it stands", () => {
		assert.equal(makeRouter(routes, allActions).routes.length, routes.length);
	});

	it("stops the start where an action is in no contract", () => {
		assert.match(faults(row({ action: "things.typo" })), /GET \/things: the action things\.typo is in no contract/);
		assert.match(faults(row({ action: "toString" })), /in no contract/);
	});

	it("stops the start where an action is not marked published", () => {
		assert.match(faults(row({ action: "things.secret" })), /things\.secret is not marked published/);
	});

	it("stops the start where a row says not who may ask", () => {
		for (const access of [undefined, "", "everyone", "read"]) assert.match(faults(row({ access })), /has no access rule/);
		for (const access of ["anyone", "signed-in", "ops:read"]) assert.equal(faults(row({ access })), "");
	});

	it("stops the start where the path has a parameter that the action has not", () => {
		assert.match(faults(row({ path: "/things/:id", action: "things.show" })), /:id is no parameter of things\.show/);
	});

	it("stops the start where two rows are the same", () => {
		assert.match(faults(show, row({ path: "/things/:seq", action: "things.part" })), /clashes with GET \/things\/:thingId/);
	});

	it("stops the start where a parameter comes from two places", () => {
		assert.match(
			faults(row({ method: "POST", path: "/things/:thingId", action: "things.show", query: ["thingId"] })),
			/comes from the path and from elsewhere/,
		);
	});

	it("stops the start where a location names what the answer has not, or is of nothing that was made", () => {
		const made = { method: "POST", action: "things.make", status: 201 };
		assert.equal(faults(row({ ...made, location: "/things/{id}" })), "");
		assert.match(faults(row({ ...made, location: "/things/{idd}" })), /POST \/things: \{idd\} is no field of what things\.make answers/);
		assert.match(faults(row({ ...made, status: 200, location: "/things/{id}" })), /only what answers 201 has a location/);
	});

	it("stops the start where what a download answers is no file, and where a body is said of what has one", () => {
		assert.match(faults(row({ download: "things.part" })), /what a download answers is name, type, size, parts/);
		assert.match(faults(row({ download: "things.typo" })), /the action things\.typo is in no contract/);
		assert.equal(faults(row({ method: "DELETE", body: true })), "");
		assert.match(faults(row({ method: "POST", action: "things.make", body: true })), /only DELETE is said to have a body/);
	});

	it("names every fault at once", () => {
		assert.equal(faults(row({ access: "" }), row({ action: "no.such" })).split("\n").length, 3);
	});
});

describe("a node's rows", () => {
	const load = async (...files: [name: string, text: string][]) => {
		const folder = mkdtempSync(join(tmpdir(), "reloop-routes-"));
		try {
			for (const [name, text] of files) writeFileSync(join(folder, name), text);
			return await rowsOf(pathToFileURL(`${folder}/`), ["groups", "notes", "socket"]);
		} finally {
			rmSync(folder, { recursive: true });
		}
	};

	it("are found by its name, in the order of the nodes", async () => {
		assert.deepEqual(
			await load(["notes.ts", "export const notes = [2, 3];"], ["groups.ts", "export const groups = [1];"], [".DS_Store", ""]),
			[1, 2, 3],
		);
	});

	it("stop the start where their file is of no node, or exports none", async () => {
		await assert.rejects(load(["note.ts", "export const note = [];"]), /routes\/note\.ts is named after no node/);
		await assert.rejects(load(["notes.ts", "export const note = [];"]), /routes\/notes\.ts has no rows: export const notes:/);
	});
});

describe("finding a row", () => {
	const part = row({ path: "/things/:thingId/parts/:seq", action: "things.part" });
	const word = row({ path: "/things/special", action: "things.list" });
	const router = makeRouter([list, make, show, part, word], actions);
	const found = (method: string, path: string) => {
		const hit = router.find(method, path);
		return hit?.kind === "row" ? [hit.route.row, hit.values] : hit;
	};

	it("walks the words, a word before a parameter", () => {
		assert.deepEqual(found("GET", "/things"), [list, []]);
		assert.deepEqual(found("POST", "/things"), [make, []]);
		assert.deepEqual(found("GET", "/things/abc"), [show, ["abc"]]);
		assert.deepEqual(found("GET", "/things/special"), [word, []]);
		assert.deepEqual(found("GET", "/things/abc/parts/7"), [part, ["abc", "7"]]);
	});

	it("answers HEAD where there is a GET", () => {
		assert.deepEqual(found("HEAD", "/things/abc"), [show, ["abc"]]);
		assert.deepEqual(found("HEAD", "/things/special"), [word, []]);
	});

	it("says what a path allows", () => {
		assert.deepEqual(found("DELETE", "/things"), { kind: "wrong-method", allow: "GET, HEAD, POST, OPTIONS" });
		assert.equal(router.allowed("/things/abc"), "GET, HEAD, OPTIONS");
	});

	it("finds nothing elsewhere", () => {
		for (const path of [
			"",
			"*",
			"/",
			"things",
			"//things",
			"/things//parts/7",
			"/things/abc/parts",
			"/things/abc/parts/7/8",
			"/__proto__",
			"/things/abc/constructor/7",
			"http://host/things",
		]) {
			assert.equal(router.find("GET", path), undefined, path);
			assert.equal(router.allowed(path), undefined, path);
		}
	});
});
