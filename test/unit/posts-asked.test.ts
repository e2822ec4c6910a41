// A POST that no test asks is held to nothing: neither its answer nor that this is kept for an Idempotency-Key
// (config/broker/contracts.ts holds every answer that a test gets).
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { routes } from "../../services/api/routes/index.ts";

const TESTS = join(import.meta.dirname, "..");

/** A path as a test writes it, in quotes: something in the place of each parameter, and perhaps a query. */
function written(path: string): RegExp {
	const parts = path.split("/").map((part) => (part.startsWith(":") ? "(?:\\$\\{[^}]+\\}|[^/\\s\"'`$]+)" : part.replace(/[.$]/g, "\\$&")));
	return new RegExp(`["'\`]${parts.join("/")}["'\`?]`);
}

test("every POST is asked by the test of some node", () => {
	const texts = globSync("{service,flow}/**/*.test.ts", { cwd: TESTS }).map((file) => readFileSync(join(TESTS, file), "utf8"));
	const asked = (path: string) => texts.some((text) => written(path).test(text));
	const forgotten = routes.filter(({ method, path }) => method === "POST" && !asked(path)).map(({ path }) => `POST ${path}`);
	assert.deepEqual(forgotten, [], "no file of test/service or test/flow asks these: write a test that gets a good answer of each");
});

test("a path counts as asked with anything in the place of its parameters, and with nothing after it", () => {
	const path = written("/api/groups/:groupId/join");
	for (const text of [`\`/api/groups/\${groupId}/join\``, `\`/api/groups/\${await groupOf(ana)}/join?x=1\``, '"/api/groups/7/join"'])
		assert.match(text, path);
	for (const text of [`\`/api/groups/\${groupId}/join/more\``, '"/api/groups/:groupId/joined"', '"/api/groups/join"'])
		assert.doesNotMatch(text, path);
});
