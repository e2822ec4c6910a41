import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { readEnv, type Source } from "../../config/env.ts";

const nodes = ["api", "groups", "identity", "socket"];
const key = Buffer.alloc(32, 1).toString("base64");
const read = (source: Source) => readEnv({ SECRET_KEY: key, ...source }, nodes);
const refuses = (source: Source, words: RegExp) =>
	assert.throws(
		() => read(source),
		(error: Error & { sentence?: true }) => error.sentence === true && words.test(error.message),
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
		(error: Error & { sentence?: true }) => error.sentence === true && !error.message.includes("hunter2"),
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

test("FCM is Google's unless an address says otherwise.", () => {
	assert.equal(read({}).FCM_API_BASE, "https://fcm.googleapis.com");
	assert.equal(read({ FCM_API_BASE: "http://127.0.0.1:9000/" }).FCM_API_BASE, "http://127.0.0.1:9000");
	refuses({ FCM_API_BASE: "x" }, /^FCM_API_BASE must be an http or https URL/);
});

test("A variable whose feature is not here yet is not ignored in silence.", () => {
	for (const name of ["MAP_TILES_URL", "STRIPE_SECRET_KEY", "PAYMENT_PROVIDER"]) {
		refuses({ [name]: "x" }, new RegExp(`^${name} is set, but this version`));
	}
});

test("Pictures are in a folder, or in an S3-compatible store that all its variables name; what scans them is a host and a port.", () => {
	const s3 = { S3_ENDPOINT: "http://minio:9000/", S3_BUCKET: "pictures", S3_ACCESS_KEY: "key", S3_SECRET_KEY: "secret" };
	assert.partialDeepStrictEqual(read(s3), { S3_ENDPOINT: "http://minio:9000", S3_REGION: "us-east-1", UPLOADS_SHARED: false });
	for (const name of Object.keys(s3))
		refuses({ ...s3, [name]: undefined }, new RegExp(`^S3_ENDPOINT, .* belong together: ${name} is not set`));
	for (const S3_BUCKET of ["Pictures", "ab", "a/b", "../b"]) refuses({ ...s3, S3_BUCKET }, /^S3_BUCKET must be the name of a bucket/);
	refuses({ ...s3, S3_ENDPOINT: "minio:9000" }, /^S3_ENDPOINT must be an http or https URL/);
	refuses({ UPLOADS_SHARED: "yes" }, /^UPLOADS_SHARED must be true or false/);
	assert.equal(read({ CLAMD_URL: "tcp://[::1]:3310" }).CLAMD_URL, "tcp://[::1]:3310");
	for (const CLAMD_URL of ["clamd:3310", "tcp://clamd", "tcp://clamd:x", "http://clamd:3310", "tcp://clamd:99999"])
		refuses({ CLAMD_URL }, /^CLAMD_URL must be a host and its port/);
});

test("One of a cluster needs what its processes share, and is told why.", () => {
	const [NATS_URL, REDIS_URL, DATABASE_URL] = ["nats://n1:4222, nats://n2:4222", "redis://r:6379", "postgres://h/d"];
	refuses({ NATS_URL, DATABASE_URL }, /needs REDIS_URL: limits, presence and revocations/);
	refuses({ NATS_URL, REDIS_URL }, /needs DATABASE_URL: an embedded database belongs to one process/);
	const env = read({ NATS_URL, REDIS_URL, DATABASE_URL });
	assert.deepEqual(env.NATS_URL, ["nats://n1:4222", "nats://n2:4222"]);
	assert.equal(env.NATS_REPLICAS, 1);
	const own = Object.fromEntries(nodes.map((node) => [`DATABASE_URL_${node.toUpperCase()}`, DATABASE_URL]));
	assert.equal(read({ NATS_URL, REDIS_URL, ...own }).DATABASE_URL, undefined);
	assert.equal(read({ NATS_URL, REDIS_URL, NODES: "api" }).DATABASE_URL, undefined, "a door has no database");
});

test("The URLs of NATS, Redis and MongoDB are checked, and never shown.", () => {
	const cluster = { REDIS_URL: "redis://r", DATABASE_URL: "postgres://h/d" };
	refuses({ NATS_URL: "nats.example:4222" }, /NATS_URL must be URLs such as nats:/);
	refuses({ NATS_URL: "nats://one, http://two" }, /NATS_URL must be/);
	refuses({ REDIS_URL: "localhost:6379" }, /REDIS_URL must be a URL such as redis:/);
	refuses({ MONGO_URL: "mongo://h" }, /MONGO_URL must be a URL such as mongodb:/);
	refuses({ ...cluster, NATS_URL: "nats://n", NATS_REPLICAS: "9" }, /NATS_REPLICAS must be an integer from 1 to 5/);
	refuses({ ...cluster, NATS_URL: "tls://n", NATS_TLS_CERT: "c.pem" }, /NATS_TLS_CERT and NATS_TLS_KEY belong together/);
	refuses({ NATS_CREDS_FILE: "user.creds" }, /NATS_CREDS_FILE belongs to NATS_URL/);
	assert.throws(
		() => read({ REDIS_URL: "hunter2" }),
		(error: Error & { sentence?: true }) => error.sentence === true && !error.message.includes("hunter2"),
	);
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

test("A provider is what its variables say, under its name in lower case.", () => {
	const { providers } = read({
		OIDC_GOOGLE_ISSUER: "https://accounts.google.com",
		OIDC_GOOGLE_CLIENT_ID: "web",
		OIDC_MY_CORP_ISSUER: "https://corp.auth0.com/",
		OIDC_MY_CORP_CLIENT_ID: "app",
		OIDC_MY_CORP_CLIENT_SECRET: "hush",
		OIDC_MY_CORP_SCOPES: "openid, email",
	});
	assert.deepEqual(providers, {
		google: { issuer: "https://accounts.google.com", clientId: "web", scopes: "openid profile email" },
		my_corp: { issuer: "https://corp.auth0.com/", clientId: "app", clientSecret: "hush", scopes: "openid email" },
	});
	assert.deepEqual(read({}).providers, {});
});

test("A provider that is wrong, or half of one, stops the start by the variable's name.", () => {
	const whole = { OIDC_X_ISSUER: "https://x.example", OIDC_X_CLIENT_ID: "a" };
	for (const OIDC_X_ISSUER of ["x.example", "ftp://x.example", "https://x.example?tenant=1", "https://user:hunter2@x.example"])
		refuses({ ...whole, OIDC_X_ISSUER }, /^OIDC_X_ISSUER must be the https URL of an OpenID Connect issuer(?!.*hunter2)/);
	for (const OIDC_X_SCOPES of ["profile email", 'openid "x"']) refuses({ ...whole, OIDC_X_SCOPES }, /^OIDC_X_SCOPES must be scopes/);
	refuses({ OIDC_X_CLIENT_ID: "a" }, /^OIDC_X_ISSUER and OIDC_X_CLIENT_ID belong together/);
	refuses({ OIDC_X_ISSUER: "https://x.example" }, /^OIDC_X_ISSUER and OIDC_X_CLIENT_ID belong together/);
	refuses({ ...whole, OIDC_X_CLIENTID: "a" }, /^OIDC_X_CLIENTID is not a variable.*OIDC_<NAME>_CLIENT_ID/);
	refuses({ OIDC_ISSUER: "https://x.example" }, /^OIDC_ISSUER is not a variable/);
	const production = { ...whole, NODE_ENV: "production" };
	assert.equal(read(production).providers.x?.clientId, "a");
	refuses({ ...production, OIDC_X_ISSUER: "http://x.example" }, /^OIDC_X_ISSUER must be the https URL/);
});

test("Clerk's webhook secret is one of Standard Webhooks.", () => {
	const bytes = Buffer.alloc(24, 1).toString("base64");
	assert.equal(read({ CLERK_WEBHOOK_SECRET: `whsec_${bytes}` }).CLERK_WEBHOOK_SECRET, `whsec_${bytes}`);
	for (const CLERK_WEBHOOK_SECRET of ["whsec_", "whsec_c2hvcnQ=", "whsec_%%%%", "hunter2"])
		refuses({ CLERK_WEBHOOK_SECRET }, /^CLERK_WEBHOOK_SECRET must be whsec_ and 24 to 64 bytes in base64(?!.*hunter2)/);
});

test("Nobody can change the settings once they are read.", () => {
	assert.throws(() => Object.assign(read({}), { PORT: 1 }), TypeError);
});
