// Who may what: every route asked by everybody, about what is theirs and what is not. What they answer is access-matrix.md, a file
// for reviewers; here it is held against what the routes do.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { routes } from "../../services/api/routes/index.ts";
import { HELPED } from "../support/access/case.ts";
import { callers } from "../support/access/callers.ts";
import { cases } from "../support/access/index.ts";
import type { Row } from "../support/access/matrix.ts";
import { idOf, rowsOf, written } from "../support/access/matrix.ts";
import { person, testApp } from "../support/kit.ts";

const app = await testApp();
const columns = await callers(app.url);
const other = await person(app.url, "Other");
const rows: Row[] = [];
for (const route of routes.filter((row) => cases[idOf(row)])) rows.push(...(await rowsOf(app.url, route, columns, other)));

describe("the access matrix", () => {
	test("has a line for every route", () => {
		const lacking = routes.map(idOf).filter((id) => !cases[id]);
		const how = `Add to test/support/access/ what it is asked with ("${lacking[0]}": {}, where it needs nothing; case.ts says more), and write the matrix anew.`;
		assert.deepEqual(lacking, [], `The access matrix does not know ${lacking.join(", ")}. ${how}`);
		const gone = Object.keys(cases).filter((id) => !routes.some((route) => idOf(route) === id));
		assert.deepEqual(gone, [], "test/support/access/ names routes that there are no more");
	});

	test("is what the file says", (t) => {
		t.assert.fileSnapshot(written(columns, rows), join(import.meta.dirname, "access-matrix.md"), { serializers: [String] });
	});

	test("whoever lacks the scope of a route is refused, and nobody else for lack of it", () => {
		for (const { route, id, object, statuses } of rows) {
			const { access } = route;
			for (const [at, { name, scopes, person: someone }] of columns.entries()) {
				const status = statuses[at];
				if (status === null || status === undefined) continue;
				const where = `${id} ${object} as ${name}: ${status}`;
				if (access === "anyone") assert.ok(status !== 401 || HELPED.has(id), where);
				else if (!someone) assert.equal(status, 401, where);
				else if (name === "mustChangePassword" && !route.narrow) assert.equal(status, 403, where);
				else if (access === "signed-in") assert.ok(status !== 401 || HELPED.has(id), where);
				else if (!scopes.includes(access)) assert.equal(status, 403, where);
				else assert.notEqual(status, 401, where);
			}
		}
	});

	test("every route does what it is for, for somebody, and none fails or is asked nonsense", () => {
		for (const route of routes.filter((row) => !HELPED.has(idOf(row)))) {
			const of = rows.filter(({ id }) => id === idOf(route)).flatMap(({ statuses }) => statuses);
			assert.ok(
				of.some((status) => status !== null && status < 300),
				`${idOf(route)} answered ${of.join(", ")}`,
			);
			for (const status of of) assert.ok(![400, 405, 415, 422, 500].includes(status ?? 0), `${idOf(route)} answered ${of.join(", ")}`);
		}
	});
});
