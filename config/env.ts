// The sole reader of process.env: ONE table of every variable that Reloop knows. A wrong value, an unknown name that looks like one
// of ours, or one whose feature this version does not have stops the start; nothing is ignored in silence.
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import { isIP } from "node:net";
import path from "node:path";

/** Says which variable is wrong and what it may be. Its message never contains the value: it may be a secret. */
export class EnvError extends Error {
	readonly sentence = true;
}

/** How a text becomes a value. Throws nothing: `undefined` means that the text is not one of those that `may` describes. */
interface Kind<T> {
	/** What the variable may be, as the end of "NAME must be …". */
	may: string;
	read(text: string): T | undefined;
}

interface Row<T> {
	kind: Kind<T>;
	/** What stands where the variable is absent, in the words of the variable; absent: the variable has no value then. */
	fallback?: string;
}

const integer = (least: number, most: number): Kind<number> => ({
	may: `an integer from ${least} to ${most}`,
	read: (text) => (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined),
});

const seconds = integer(1, 10 * 365 * 86_400);

const factor: Kind<number> = {
	may: "a number above 0, such as 1 or 0.5",
	read: (text) => (/^\d{1,9}(\.\d{1,9})?$/.test(text) && Number(text) > 0 ? Number(text) : undefined),
};

const oneOf = <const T extends string>(...values: T[]): Kind<T> => ({
	may: `one of ${values.join(", ")}`,
	read: (text) => values.find((value) => value === text),
});

const truth: Kind<boolean> = {
	may: "true or false",
	read: (text) => (text === "true" ? true : text === "false" ? false : undefined),
};

const word: Kind<string> = {
	may: "a name or path without control characters",
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
	read: (text) => (/^[^\u0000-\u001f\u007f]{1,1000}$/.test(text) ? text : undefined),
};

const postgresUrl: Kind<string> = {
	may: "a URL such as postgres://user:password@host:5432/database",
	read: (text) => {
		const url = URL.parse(text);
		return url && /^postgres(ql)?:$/.test(url.protocol) && url.hostname !== "" && url.pathname.length > 1 ? text : undefined;
	},
};

/** Passwords may stand in them: what is read is never shown. */
const urlOf = (may: string, protocol: RegExp): Kind<string> => ({
	may,
	read: (text) => {
		const url = URL.parse(text);
		return url && protocol.test(url.protocol) && url.hostname !== "" ? text : undefined;
	},
});
const redisUrl = urlOf("a URL such as redis://user:password@host:6379/0 (rediss:// for TLS)", /^rediss?:$/);
const mongoUrl = urlOf("a URL such as mongodb://host:27017/reloop?replicaSet=rs0", /^mongodb(\+srv)?:$/);

/** Several servers of one cluster, comma separated, with one login. */
const natsUrls: Kind<string[]> = {
	may: "URLs such as nats://user:password@host:4222 (tls:// for TLS), comma separated",
	read: (text) => {
		const urls = text
			.split(",")
			.map((entry) => entry.trim())
			.filter((entry) => entry !== "");
		return urls.length > 0 && urls.every((url) => urlOf("", /^(nats|tls):$/).read(url)) ? urls : undefined;
	},
};

const webUrl: Kind<string> = {
	may: "an http or https URL such as https://reloop.example",
	read: (text) => {
		const url = URL.parse(text);
		const plain = url && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash;
		return plain ? text.replace(/\/+$/, "") : undefined;
	},
};

/** Comma separated, each entry as `of` says, none twice. */
const list = (may: string, of: (entry: string) => boolean): Kind<string[]> => ({
	may,
	read: (text) => {
		const entries = [
			...new Set(
				text
					.split(",")
					.map((entry) => entry.trim())
					.filter((entry) => entry !== ""),
			),
		];
		return entries.every(of) ? entries : undefined;
	},
});

const isNetwork = (entry: string): boolean => {
	const [address = "", bits, ...rest] = entry.split("/");
	const version = isIP(address);
	const width = version === 6 ? 128 : 32;
	return version !== 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= width));
};

const isOrigin = (entry: string): boolean => /^https?:/.test(entry) && URL.parse(entry)?.origin === entry;

const secretKey: Kind<string> = {
	may: "32 bytes in base64 (make one with: openssl rand -base64 32)",
	read: (text) => {
		const bytes = Buffer.from(text, "base64");
		// Canonical, so that one key has one text: passwords are derived from it.
		return bytes.length === 32 && /^[A-Za-z0-9+/]{43}=?$/.test(text) ? bytes.toString("base64") : undefined;
	},
};

const row = <T>(kind: Kind<T>, fallback: string): Row<T> & { fallback: string } => ({ kind, fallback });
const maybe = <T>(kind: Kind<T>): Row<T> => ({ kind });

/** Every variable of this version, its kind and its default. NODES, SECRET_KEY, PUBLIC_URL have defaults that depend on others. */
const table = {
	NODE_ENV: row(oneOf("development", "production", "test"), "development"),
	PORT: row(integer(0, 65_535), "3000"),
	HOST: row(word, "127.0.0.1"),
	SOCKET_PORT: maybe(integer(0, 65_535)),
	NODES: maybe(list("names of folders under services/, comma separated", (entry) => /^[a-z]+$/.test(entry))),
	DATA_DIR: row(word, ".data"),
	DATABASE_URL: maybe(postgresUrl),
	DATABASE_DIRECT_URL: maybe(postgresUrl),
	NATS_URL: maybe(natsUrls),
	NATS_CREDS_FILE: maybe(word),
	NATS_TLS_CA: maybe(word),
	NATS_TLS_CERT: maybe(word),
	NATS_TLS_KEY: maybe(word),
	NATS_REPLICAS: row(integer(1, 5), "1"),
	REDIS_URL: maybe(redisUrl),
	MONGO_URL: maybe(mongoUrl),
	TRUST_PROXY: row(list("addresses or networks (10.0.0.0/8) of proxies, comma separated", isNetwork), ""),
	TTL_ACCESS: row(seconds, "600"),
	TTL_REFRESH: row(seconds, "2592000"),
	TTL_MAIL_CODE: row(seconds, "600"),
	TTL_INVITE: row(seconds, "604800"),
	TTL_STOCK_HOLD: row(seconds, "900"),
	TTL_REDEMPTION: row(seconds, "900"),
	TTL_PROVIDER_ASK: row(seconds, "10"),
	ALLOW_PRIVATE_ENDPOINTS: row(truth, "false"),
	SECRET_KEY: maybe(secretKey),
	PUBLIC_URL: maybe(webUrl),
	RATE_LIMIT_FACTOR: row(factor, "1"),
	CORS_ORIGINS: row(list("origins such as https://app.example, comma separated", isOrigin), ""),
	METRICS_PORT: maybe(integer(0, 65_535)),
	METRICS_HOST: row(word, "127.0.0.1"),
	LOG_LEVEL: row(oneOf("fatal", "error", "warn", "info", "debug", "trace"), "info"),
} satisfies Record<string, Row<unknown>>;

/** Known names whose feature comes with a later version: set, they would be obeyed by nobody. */
const notYet = [
	/^S3_(ENDPOINT|BUCKET|REGION|ACCESS_KEY|SECRET_KEY)$/,
	/^(UPLOADS_SHARED|FCM_CREDENTIALS_FILE|FCM_API_BASE|MAP_TILES_URL)$/,
	/^OTEL_EXPORTER_OTLP_ENDPOINT$/,
	/^(SMTP_URL|MAIL_FROM|PAYMENT_PROVIDER|CLERK_WEBHOOK_SECRET)$/,
	/^STRIPE_(SECRET_KEY|WEBHOOK_SECRET|API_BASE)$/,
	/^OIDC_[A-Z0-9]+_(ISSUER|CLIENT_ID|CLIENT_SECRET|SCOPES)$/,
];

/** A name that begins so is meant for us: unknown, it is a misspelling. */
const ours = /^(DATABASE|NATS|TTL|OIDC|S3|STRIPE|RATE)_/;

/** What Kubernetes puts into every pod for each service of the namespace: NATS_SERVICE_HOST, NATS_PORT=tcp://…, NATS_PORT_4222_TCP_ADDR. */
function isServiceLink(name: string, value: string): boolean {
	return (
		/_SERVICE_(HOST|PORT)(_|$)/.test(name) ||
		/_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(name) ||
		(name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value))
	);
}

type Table = typeof table;
type Valued<R> = R extends Row<infer T> ? (R extends { fallback: string } ? T : T | undefined) : never;

/** The settings of one process, checked and frozen. Durations (TTL_…) are seconds, DATA_DIR is absolute. */
export type Env = Readonly<
	Omit<{ [K in keyof Table]: Valued<Table[K]> }, "NODES" | "SECRET_KEY" | "PUBLIC_URL" | "SOCKET_PORT"> & {
		/** The folders this process runs. */
		NODES: string[];
		/** 32 bytes, base64. */
		SECRET_KEY: string;
		/** Without a slash at its end. */
		PUBLIC_URL: string;
		SOCKET_PORT: number;
		/** Databases of single nodes, by node. */
		databases: Readonly<Record<string, { url?: string; directUrl?: string }>>;
	}
>;

export type Source = Readonly<Record<string, string | undefined>>;

/** The folders under services/ that hold a service, as NODES may name them. */
export function nodeFolders(services = path.resolve(import.meta.dirname, "../services")): string[] {
	const folders = fs.readdirSync(services, { withFileTypes: true }).filter((entry) => entry.isDirectory());
	return folders
		.map(({ name }) => name)
		.filter((name) => fs.readdirSync(path.join(services, name)).some((file) => file.endsWith(".service.ts")))
		.sort();
}

/** Has the node a database at all? The doors have none. */
const keepsData = (node: string): boolean => fs.existsSync(path.resolve(import.meta.dirname, "../services", node, "migrations"));

/**
 * Reads and checks the environment; throws EnvError at the first thing wrong. Depends on `source` and the folders alone, except that
 * without SECRET_KEY it reads, or makes once, the key in DATA_DIR.
 */
export function readEnv(source: Source = process.env, nodes: readonly string[] = nodeFolders()): Env {
	const databases: Record<string, { url?: string; directUrl?: string }> = {};
	const given: Record<string, string> = {};
	for (const [name, value] of Object.entries(source)) {
		if (value === undefined || value === "" || isServiceLink(name, value)) continue;
		if (Object.hasOwn(table, name)) given[name] = value;
		else if (notYet.some((known) => known.test(name)))
			throw new EnvError(`${name} is set, but this version of Reloop does not support it yet: unset it.`);
		else if (!readDatabaseOf(name, value, nodes, databases) && ours.test(name))
			throw new EnvError(`${name} is not a variable of Reloop. ${nearest(name, nodes)}`);
	}
	const read = readTable(given);
	checkTogether(read, nodes);
	checkCluster(read, databases, nodes);
	const DATA_DIR = path.resolve(read.DATA_DIR);
	return Object.freeze({
		...read,
		DATA_DIR,
		NODES: read.NODES ?? [...nodes],
		SOCKET_PORT: read.SOCKET_PORT ?? read.PORT,
		PUBLIC_URL: read.PUBLIC_URL ?? `http://localhost:${read.PORT}`,
		SECRET_KEY: read.SECRET_KEY ?? keptKey(DATA_DIR),
		databases: Object.freeze(databases),
	});
}

function readTable(given: Record<string, string>): { [K in keyof Table]: Valued<Table[K]> } {
	const rows = Object.entries<Row<unknown> & { fallback?: string }>(table);
	const read = rows.map(([name, { kind, fallback }]) => {
		const text = given[name] ?? fallback;
		const value = text === undefined ? undefined : kind.read(text);
		if (text !== undefined && value === undefined) throw new EnvError(`${name} must be ${kind.may}.`);
		return [name, value];
	});
	return Object.fromEntries(read);
}

/** DATABASE_URL_<NODE> and DATABASE_DIRECT_URL_<NODE>. */
function readDatabaseOf(
	name: string,
	value: string,
	nodes: readonly string[],
	into: Record<string, { url?: string; directUrl?: string }>,
): boolean {
	const [, direct, upper = ""] = /^DATABASE_(DIRECT_)?URL_([A-Z]+)$/.exec(name) ?? [];
	const node = upper.toLowerCase();
	if (!nodes.includes(node)) return false;
	if (!postgresUrl.read(value)) throw new EnvError(`${name} must be ${postgresUrl.may}.`);
	into[node] = { ...into[node], [direct ? "directUrl" : "url"]: value };
	return true;
}

function checkTogether(read: { [K in keyof Table]: Valued<Table[K]> }, nodes: readonly string[]): void {
	const production = read.NODE_ENV === "production";
	const strange = read.NODES?.find((node) => !nodes.includes(node));
	if (strange || read.NODES?.length === 0)
		throw new EnvError(`NODES must be names out of: ${nodes.join(", ")}.${strange ? ` There is no "${strange}".` : ""}`);
	if (production && !read.SECRET_KEY) throw new EnvError(`SECRET_KEY is required when NODE_ENV is production: ${secretKey.may}.`);
	if (production && read.RATE_LIMIT_FACTOR > 1) throw new EnvError("RATE_LIMIT_FACTOR must not be above 1 when NODE_ENV is production.");
	if (production && read.ALLOW_PRIVATE_ENDPOINTS)
		throw new EnvError("ALLOW_PRIVATE_ENDPOINTS must not be true when NODE_ENV is production.");
	if (read.DATABASE_DIRECT_URL && !read.DATABASE_URL)
		throw new EnvError("DATABASE_DIRECT_URL is the direct way to the server of DATABASE_URL: set both.");
}

/** Several processes need what they share: without it each would count limits, see people and store for itself. */
function checkCluster(
	read: { [K in keyof Table]: Valued<Table[K]> },
	databases: Readonly<Record<string, { url?: string }>>,
	nodes: readonly string[],
): void {
	const { NATS_URL, NATS_TLS_CERT, NATS_TLS_KEY } = read;
	if (!NATS_URL) {
		const lone = (["NATS_CREDS_FILE", "NATS_TLS_CA", "NATS_TLS_CERT", "NATS_TLS_KEY"] as const).find((name) => read[name]);
		if (lone) throw new EnvError(`${lone} belongs to NATS_URL, which is not set.`);
		return;
	}
	if (!!NATS_TLS_CERT !== !!NATS_TLS_KEY) throw new EnvError("NATS_TLS_CERT and NATS_TLS_KEY belong together: set both.");
	const cluster = "NATS_URL makes this process one of a cluster";
	if (!read.REDIS_URL)
		throw new EnvError(`${cluster}, and a cluster needs REDIS_URL: limits, presence and revocations must be the same in every process.`);
	const homeless = (read.NODES ?? nodes).filter((node) => keepsData(node) && !databases[node]?.url);
	if (!read.DATABASE_URL && homeless.length > 0)
		throw new EnvError(`${cluster}, and a cluster needs DATABASE_URL: an embedded database belongs to one process alone.`);
}

/** Names that begin alike, for whoever misspelled one. */
function nearest(name: string, nodes: readonly string[]): string {
	const prefix = `${name.split("_")[0]}_`;
	const alike = Object.keys(table).filter((known) => known.startsWith(prefix));
	if (prefix === "DATABASE_") alike.push("DATABASE_URL_<NODE>", "DATABASE_DIRECT_URL_<NODE>");
	const where = prefix === "DATABASE_" ? `, where <NODE> is one of ${nodes.map((node) => node.toUpperCase()).join(", ")}` : "";
	return alike.length > 0 ? `Those that begin alike: ${alike.join(", ")}${where}.` : `This version has none that begins with ${prefix}.`;
}

/** The key of a development machine: made once, readable by its owner alone. */
function keptKey(dataDir: string): string {
	const file = path.join(dataDir, "secret.key");
	if (!fs.existsSync(file)) {
		fs.mkdirSync(dataDir, { recursive: true });
		const draft = `${file}.${process.pid}`;
		fs.writeFileSync(draft, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
		try {
			// Whole or not at all, and never over the key of another process that was faster.
			fs.linkSync(draft, file);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
		} finally {
			fs.rmSync(draft);
		}
	}
	const key = secretKey.read(fs.readFileSync(file, "utf8").trim());
	if (!key) throw new EnvError(`${file} must hold ${secretKey.may}. Restore it: what was encrypted with it cannot be read without.`);
	return key;
}

/** The environment as it was given: for a program that starts others of ours with it. */
export const givenEnvironment = (source: Source = process.env): Record<string, string> =>
	Object.fromEntries(Object.entries(source).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ""));

/** What a program of the system needs to run at all; nothing that says something about us. */
export function systemEnvironment(source: Source = process.env): Record<string, string> {
	const needed = ["PATH", "Path", "SystemRoot", "TEMP", "TMP"].map((name) => [name, source[name]]);
	return Object.fromEntries(needed.filter(([, value]) => value !== undefined));
}
