import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { EnvError, readEnv, type Source } from "../../config/env.ts";

const nodes = ["api", "groups", "identity", "socket"];
const key = Buffer.alloc(32, 1).toString("base64");
const read = (source: Source) => readEnv({ SECRET_KEY: key, ...source }, nodes);
const refuses = (source: Source, words: RegExp) =>
	assert.throws(
		() => read(source),
		(error) => error instanceof EnvError && words.test(error.message),
	);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-env-"));
after(() => fs.rmSync(folder, { recursive: true }));

test("Without a variable every setting has its default.", () => {
	const env = read({});
	assert.equal(env.PORT, 3000);
	assert.equal(env.HOST, "127.0.0.1");
	assert.equal(env.SOCKET_PORT, 3000);
	assert.equal(env.PUBLIC_URL, "http://localhost:3000");
	assert.equal(env.DATA_DIR, path.resolve(".data"));
	assert.deepEqual(env.NODES, nodes);
	assert.deepEqual(env.CORS_ORIGINS, []);
	assert.equal(env.TTL_ACCESS, 600);
	assert.equal(env.RATE_LIMIT_FACTOR, 1);
	assert.equal(env.DATABASE_URL, undefined);
});

test("Defaults follow the variables they depend on.", () => {
	const env = read({ PORT: "4000" });
	assert.equal(env.SOCKET_PORT, 4000);
	assert.equal(env.PUBLIC_URL, "http://localhost:4000");
});

test("An empty variable counts as absent.", () => {
	assert.equal(read({ PORT: "", DATABASE_URL: "", NATS_URL: "" }).PORT, 3000);
});

test("Lists are split, trimmed and without doubles.", () => {
	const env = read({ NODES: "api, groups,api", TRUST_PROXY: "10.0.0.0/8,::1", CORS_ORIGINS: "https://a.example" });
	assert.deepEqual(env.NODES, ["api", "groups"]);
	assert.deepEqual(env.TRUST_PROXY, ["10.0.0.0/8", "::1"]);
	assert.deepEqual(env.CORS_ORIGINS, ["https://a.example"]);
});

test("A wrong value is refused with the variable's name and what it may be.", () => {
	const wrong: Source[] = [
		{ PORT: "65536" },
		{ PORT: "-1" },
		{ PORT: "3e3" },
		{ NODE_ENV: "prod" },
		{ LOG_LEVEL: "loud" },
		{ TTL_ACCESS: "0" },
		{ TTL_ACCESS: "10m" },
		{ RATE_LIMIT_FACTOR: "0" },
		{ RATE_LIMIT_FACTOR: "Infinity" },
		{ DATABASE_URL: "mysql://host/name" },
		{ DATABASE_URL: "postgres://host" },
		{ DATABASE_URL_GROUPS: "nonsense" },
		{ PUBLIC_URL: "reloop.example" },
		{ CORS_ORIGINS: "https://a.example/path" },
		{ CORS_ORIGINS: "*" },
		{ TRUST_PROXY: "10.0.0.0/33" },
		{ TRUST_PROXY: "true" },
		{ ALLOW_PRIVATE_ENDPOINTS: "yes" },
		{ SECRET_KEY: "c2hvcnQ=" },
		{ NODES: "api,nowhere" },
		{ NODES: "," },
	];
	for (const source of wrong) refuses(source, new RegExp(`^${Object.keys(source)[0]} must be .+`));
});

test("A refusal never repeats the value, which may be a secret.", () => {
	assert.throws(
		() => read({ DATABASE_URL: "postgres:hunter2" }),
		(error) => error instanceof EnvError && !error.message.includes("hunter2"),
	);
});

test("An unknown name that begins like one of ours stops the start and names those that begin alike.", () => {
	refuses({ DATABASE_URI: "x" }, /DATABASE_URI is not a variable.*DATABASE_URL/);
	refuses({ TTL_ACESS: "1" }, /TTL_ACCESS/);
	refuses({ DATABASE_URL_NOBODY: "postgres://h/d" }, /one of API, GROUPS/);
	for (const name of ["NATS_SERVERS", "OIDC_ISSUER", "S3_KEY", "STRIPE_KEY", "RATE_LIMIT"]) refuses({ [name]: "x" }, new RegExp(name));
});

test("Names that are not ours are left alone.", () => {
	assert.equal(read({ HOME: "/root", npm_config_cache: "x", DATABASES: "x" }).PORT, 3000);
});

test("A variable whose feature is not here yet is not ignored in silence.", () => {
	for (const name of [
		"NATS_URL",
		"REDIS_URL",
		"MONGO_URL",
		"S3_BUCKET",
		"STRIPE_SECRET_KEY",
		"OIDC_GOOGLE_ISSUER",
		"SMTP_URL",
		"METRICS_PORT",
	]) {
		refuses({ [name]: "x" }, new RegExp(`^${name} is set, but this version`));
	}
});

test("The variables that Kubernetes makes for services are ignored.", () => {
	const env = read({
		NATS_SERVICE_HOST: "10.0.0.1",
		NATS_SERVICE_PORT_CLIENT: "4222",
		NATS_PORT: "tcp://10.0.0.1:4222",
		NATS_PORT_4222_TCP_ADDR: "10.0.0.1",
		DATABASE_PORT_5432_TCP: "tcp://10.0.0.2:5432",
		SOCKET_PORT: "tcp://10.0.0.3:3000",
		METRICS_PORT: "tcp://10.0.0.4:9464",
	});
	assert.equal(env.SOCKET_PORT, 3000);
	refuses({ NATS_PORT: "4222" }, /NATS_PORT/);
});

test("Databases of single nodes are kept by node.", () => {
	const env = read({ DATABASE_URL_GROUPS: "postgres://g:x@one/reloop", DATABASE_DIRECT_URL_GROUPS: "postgres://g:x@two/reloop" });
	assert.deepEqual(env.databases, { groups: { url: "postgres://g:x@one/reloop", directUrl: "postgres://g:x@two/reloop" } });
});

test("Production asks for a secret key and refuses what only tests may do.", () => {
	assert.throws(() => readEnv({ NODE_ENV: "production" }, nodes), /SECRET_KEY is required/);
	refuses({ NODE_ENV: "production", RATE_LIMIT_FACTOR: "2" }, /RATE_LIMIT_FACTOR must not be above 1/);
	refuses({ NODE_ENV: "production", ALLOW_PRIVATE_ENDPOINTS: "true" }, /ALLOW_PRIVATE_ENDPOINTS must not be true/);
	assert.equal(read({ NODE_ENV: "production", RATE_LIMIT_FACTOR: "0.5" }).RATE_LIMIT_FACTOR, 0.5);
});

test("A development machine's key is made once, for its owner's eyes only.", () => {
	const DATA_DIR = path.join(folder, "new");
	const first = readEnv({ DATA_DIR }, nodes).SECRET_KEY;
	assert.equal(Buffer.from(first, "base64").length, 32);
	assert.equal(readEnv({ DATA_DIR }, nodes).SECRET_KEY, first);
	assert.equal(fs.statSync(path.join(DATA_DIR, "secret.key")).mode & 0o777, 0o600);
	fs.writeFileSync(path.join(DATA_DIR, "secret.key"), "spoiled");
	assert.throws(() => readEnv({ DATA_DIR }, nodes), /secret\.key must hold 32 bytes/);
});

test("Nobody can change the settings once they are read.", () => {
	assert.throws(() => Object.assign(read({}), { PORT: 1 }), TypeError);
});
