// Ids.
import assert from "node:assert/strict";
import { test } from "node:test";
import { newId } from "../../mixins/id.ts";

test("ids are UUIDs of version 7, all different, and sort by the millisecond of their making", () => {
	const began = Date.now();
	const ids = Array.from({ length: 10_000 }, newId);
	assert.equal(new Set(ids).size, ids.length);
	for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
	const times = ids.map((id) => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16));
	assert.deepEqual(
		times,
		times.toSorted((one, other) => one - other),
	);
	assert.ok((times[0] as number) >= began && (times.at(-1) as number) <= Date.now());
});
