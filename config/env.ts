// The sole reader of process.env, by ONE table of every variable that Reloop knows (env/variables.ts). A wrong value, an unknown
// name that looks like one of ours, or one whose feature this version does not have stops the start; nothing is ignored in
// silence. What is said of a wrong value never contains it: it may be a secret.
import fs from "node:fs";
import path from "node:path";
import { keptKey } from "./env/kept-key.ts";
import { postgresUrl } from "./env/kinds.ts";
import { checkCluster, checkProviders, checkTogether } from "./env/together.ts";
import { notYet, oidc, ours, variables } from "./env/variables.ts";
import type { Row, Values } from "./env/variables.ts";
import { refusal } from "./refusal.ts";

/** The settings of one process, checked and frozen. Durations (TTL_…) are seconds, DATA_DIR is absolute. */
export type Env = Readonly<
	Omit<Values, "NODES" | "SECRET_KEY" | "PUBLIC_URL" | "SOCKET_PORT"> & {
		/** The folders this process runs. */
		NODES: string[];
		/** 32 bytes, base64. */
		SECRET_KEY: string;
		/** Without a slash at its end. */
		PUBLIC_URL: string;
		SOCKET_PORT: number;
		/** Databases of single nodes, by node. */
		databases: Readonly<Record<string, { url?: string; directUrl?: string }>>;
		/** Who else may say who somebody is (OIDC_<NAME>_…), by name in lower case. */
		providers: Readonly<Record<string, Provider>>;
	}
>;

/** An OpenID Connect issuer, and what we are to it. */
export interface Provider {
	/** As its tokens spell it. */
	readonly issuer: string;
	readonly clientId: string;
	readonly clientSecret?: string;
	/** Separated by spaces. */
	readonly scopes: string;
}

export type Source = Readonly<Record<string, string | undefined>>;

/** The folders under services/ that hold a service, as NODES may name them. */
export function nodeFolders(services = path.resolve(import.meta.dirname, "../services")): string[] {
	const folders = fs.readdirSync(services, { withFileTypes: true }).filter((entry) => entry.isDirectory());
	return folders
		.map(({ name }) => name)
		.filter((name) => fs.readdirSync(path.join(services, name)).some((file) => file.endsWith(".service.ts")))
		.sort();
}

/**
 * Reads and checks the environment; throws a sentence at the first thing wrong. Depends on `source` and the folders alone, except that
 * without SECRET_KEY it reads, or makes once, the key in DATA_DIR.
 */
export function readEnv(source: Source = process.env, nodes: readonly string[] = nodeFolders()): Env {
	const databases: Record<string, { url?: string; directUrl?: string }> = {};
	const providers: Record<string, Partial<Provider>> = {};
	const given: Record<string, string> = {};
	for (const [name, value] of Object.entries(source)) {
		if (value === undefined || value === "" || isServiceLink(name, value)) continue;
		if (Object.hasOwn(variables, name)) given[name] = value;
		else if (notYet.some((known) => known.test(name)))
			throw refusal(`${name} is set, but this version of Reloop does not support it yet: unset it.`);
		else if (!readDatabaseOf(name, value, nodes, databases) && !readProvider(name, value, providers) && ours.test(name))
			throw refusal(`${name} is not a variable of Reloop. ${nearest(name, nodes)}`);
	}
	const read = readTable(given);
	checkTogether(read, nodes);
	checkCluster(read, databases, nodes);
	checkProviders(read, providers);
	const DATA_DIR = path.resolve(read.DATA_DIR);
	return Object.freeze({
		...read,
		DATA_DIR,
		NODES: read.NODES ?? [...nodes],
		SOCKET_PORT: read.SOCKET_PORT ?? read.PORT,
		PUBLIC_URL: read.PUBLIC_URL ?? `http://localhost:${read.PORT}`,
		SECRET_KEY: read.SECRET_KEY ?? keptKey(DATA_DIR),
		databases: Object.freeze(databases),
		providers: Object.freeze(providers as Record<string, Provider>),
	});
}

function readTable(given: Record<string, string>): Values {
	const rows = Object.entries<Row<unknown> & { fallback?: string }>(variables);
	const read = rows.map(([name, { kind, fallback }]) => {
		const text = given[name] ?? fallback;
		const value = text === undefined ? undefined : kind.read(text);
		if (text !== undefined && value === undefined) throw refusal(`${name} must be ${kind.may}.`);
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
	if (!postgresUrl.read(value)) throw refusal(`${name} must be ${postgresUrl.may}.`);
	into[node] = { ...into[node], [direct ? "directUrl" : "url"]: value };
	return true;
}

/** One of OIDC_<NAME>_ISSUER, _CLIENT_ID, _CLIENT_SECRET, _SCOPES. */
function readProvider(name: string, value: string, into: Record<string, Partial<Provider>>): boolean {
	const [, upper = "", which = ""] = /^OIDC_([A-Z0-9]+(?:_[A-Z0-9]+)*)_(ISSUER|CLIENT_ID|CLIENT_SECRET|SCOPES)$/.exec(name) ?? [];
	if (!upper) return false;
	const { kind } = oidc[which as keyof typeof oidc];
	const read = kind.read(value);
	if (read === undefined) throw refusal(`${name} must be ${kind.may}.`);
	const field = ({ ISSUER: "issuer", CLIENT_ID: "clientId", CLIENT_SECRET: "clientSecret", SCOPES: "scopes" } as const)[which];
	into[upper.toLowerCase()] = { scopes: oidc.SCOPES.fallback, ...into[upper.toLowerCase()], ...(field && { [field]: read }) };
	return true;
}

/** What Kubernetes puts into every pod for each service of the namespace: NATS_SERVICE_HOST, NATS_PORT=tcp://…, NATS_PORT_4222_TCP_ADDR. */
function isServiceLink(name: string, value: string): boolean {
	return (
		/_SERVICE_(HOST|PORT)(_|$)/.test(name) ||
		/_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(name) ||
		(name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value))
	);
}

/** Names that begin alike, for whoever misspelled one. */
function nearest(name: string, nodes: readonly string[]): string {
	const prefix = `${name.split("_")[0]}_`;
	const alike = Object.keys(variables).filter((known) => known.startsWith(prefix));
	if (prefix === "DATABASE_") alike.push("DATABASE_URL_<NODE>", "DATABASE_DIRECT_URL_<NODE>");
	if (prefix === "OIDC_") alike.push(...Object.keys(oidc).map((end) => `OIDC_<NAME>_${end}`));
	const where = prefix === "DATABASE_" ? `, where <NODE> is one of ${nodes.map((node) => node.toUpperCase()).join(", ")}` : "";
	return alike.length > 0 ? `Those that begin alike: ${alike.join(", ")}${where}.` : `This version has none that begins with ${prefix}.`;
}

/** The environment as it was given: for a program that starts others of ours with it. */
export const givenEnvironment = (source: Source = process.env): Record<string, string> =>
	Object.fromEntries(Object.entries(source).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== ""));

/** What a program of the system needs to run at all; nothing that says something about us. */
export function systemEnvironment(source: Source = process.env): Record<string, string> {
	const needed = ["PATH", "Path", "SystemRoot", "TEMP", "TMP"].map((name) => [name, source[name]]);
	return Object.fromEntries(needed.filter(([, value]) => value !== undefined));
}
