import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { breaches } from "../../config/walls.ts";

const roots: string[] = [];
after(() => {
	for (const root of roots) fs.rmSync(root, { recursive: true });
});

/** A project of these files; answers its breaches as "file:line rule". */
function project(files: Record<string, string>): string[] {
	const root = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-walls-"));
	roots.push(root);
	for (const [file, text] of Object.entries(files)) {
		fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
		fs.writeFileSync(path.join(root, file), text);
	}
	return breaches(root).map(({ file, line, rule }) => `${file}:${line} ${rule}`);
}

function planted(file: string, text: string, words: RegExp): void {
	const found = project({ [file]: text });
	assert.ok(
		found.some((breach) => breach.startsWith(file) && words.test(breach)),
		`nothing found in ${file}: ${text}\n${found.join("\n")}`,
	);
}

test("A house without a breach is silent.", () => {
	const found = project({
		"config/app.ts": `import groups from "../services/groups/groups.service.ts";\nimport { readEnv } from "./env.ts";`,
		"config/env.ts": "export const env = process.env;",
		"mixins/postgres.ts": 'import pg from "pg";\n// process.env is not read here',
		"services/contracts/groups.ts": `import { action } from "./schema.ts";`,
		"services/groups/groups.service.ts": `import { member } from "../contracts/groups.ts";\nimport { decide } from "./domain/rules.ts";\nimport { load } from "./store.ts";\nimport { database } from "../../mixins/postgres.ts";`,
		"services/groups/domain/rules.ts": `import type { Group } from "../../contracts/groups.ts";\nimport { rank } from "./rank.ts";`,
		"services/groups/store.ts": `import { rank } from "./domain/rank.ts";\nimport { database } from "../../mixins/postgres.ts";\nimport pg from "pg";`,
		"test/support/child.ts": "export const environment = { ...process.env };",
	});
	assert.deepEqual(found, []);
});

test("No node imports another node's folder, however it is written.", () => {
	const words = /another node's folder/;
	planted("services/groups/a.ts", `import { x } from "../identity/store.ts";`, words);
	planted("services/groups/a.ts", `import type { X } from "../identity/store.ts";`, words);
	planted("services/groups/a.ts", `export * from "../identity/store.ts";`, words);
	planted("services/groups/a.ts", `const x = await import("../identity/store.ts");`, words);
	planted("services/groups/a.ts", `import "../identity/store.ts";`, words);
	planted("services/groups/a.ts", `import {\n\tx,\n} from "../identity/store.ts";`, words);
	planted("services/groups/domain/a.ts", `import { x } from "../../identity/domain/b.ts";`, words);
});

test("Contracts import no node.", () => {
	planted("services/contracts/groups.ts", `import { x } from "../groups/domain/x.ts";`, /Contracts import no node/);
	planted("services/contracts/groups.ts", `import { x } from "../../mixins/postgres.ts";`, /Contracts import no node/);
});

test("Domain touches nothing.", () => {
	for (const target of ["../store.ts", "../../../mixins/postgres.ts", "pg", "moleculer", "node:fs"]) {
		planted("services/groups/domain/rules.ts", `import x from "${target}";`, /Domain imports/);
	}
});

test("A store imports neither broker nor service.", () => {
	for (const target of ["./groups.service.ts", "moleculer", "../../config/env.ts"]) {
		planted("services/groups/store.ts", `import x from "${target}";`, /A store imports/);
	}
});

test("Only a store speaks to the database.", () => {
	planted("services/groups/groups.service.ts", `import pg from "pg";`, /Only a store/);
});

test("Only mixins speak to NATS, Redis and MongoDB.", () => {
	for (const driver of ["nats", "ioredis", "mongodb", "moleculer-db", "moleculer-db-adapter-mongo"]) {
		planted("services/groups/store.ts", `import x from "${driver}";`, /Only mixins/);
		planted("config/app.ts", `import x from "${driver}";`, /Only mixins/);
	}
});

test("A node does not import the configuration, tests or benchmarks.", () => {
	planted("services/groups/groups.service.ts", `import { readEnv } from "../../config/env.ts";`, /not config/);
	planted("services/groups/groups.service.ts", `import { x } from "../../test/support/app.ts";`, /not config/);
});

test("Mixins import no node.", () => {
	planted("mixins/rooms.ts", `import { x } from "../services/groups/store.ts";`, /Mixins import no node/);
});

test("Only config/app.ts loads services.", () => {
	planted("config/admin.ts", `import { x } from "../services/identity/store.ts";`, /Only config\/app/);
});

test("Only config/env.ts reads the environment.", () => {
	const words = /Only config\/env\.ts/;
	planted("services/api/a.ts", "const port = process.env.PORT;", words);
	planted("services/api/a.ts", 'const port = process["env"].PORT;', words);
	planted("mixins/a.ts", "const { env } = process;", words);
	planted("mixins/a.ts", 'import { env } from "node:process";', words);
	planted("test/unit/a.test.ts", "const port = process.env.PORT;", words);
	// biome-ignore lint/suspicious/noTemplateCurlyInString: it is the planted code
	planted("moleculer.config.ts", "const port = `${process.env.PORT}`;", words);
});

test("A service file has at most 250 lines.", () => {
	planted("services/groups/groups.service.ts", "const x = 1;\n".repeat(251), /at most 250 lines/);
	assert.deepEqual(project({ "services/groups/groups.service.ts": "const x = 1;\n".repeat(250) }), []);
});

test("A cast past the compiler says why.", () => {
	const words = /says why/;
	planted("services/groups/a.ts", "const x = y as unknown as X;", words);
	planted("mixins/a.ts", "\n\nconst x = f(y as never);", words);
	planted("config/a.ts", "const x = (y: any) => y;", words);
	planted("config/a.ts", "let x: Map<string, any>;", words);
	planted("config/a.ts", "type X = any;", words);
	planted("config/a.ts", "// Of something else.\nconst y = 1;\nconst x = y as any;", words);
	const explained = project({
		"services/groups/a.ts": "// Its types leave the field out.\nconst x = y as unknown as X;",
		"mixins/a.ts": "/** What it takes\n * is its caller's. */\nconst x = (y: any) => y;",
		"config/a.ts": "const x = y as never; // the row's own answer",
		"mixins/b.ts": '// any text\nconst x = "of any kind: any";\nconst y = `where id = any($1) and x: any`;\nconst z: Company = company;',
		"test/unit/a.test.ts": "const x = y as unknown as X;",
	});
	assert.deepEqual(explained, []);
});

test("A breach is reported with its file and line.", () => {
	const found = project({ "services/groups/a.ts": `// one\n\nimport x from "../identity/a.ts";\n` });
	assert.match(found[0] ?? "", /^services\/groups\/a\.ts:3 No node/);
});
