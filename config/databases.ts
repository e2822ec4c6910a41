// Where each node's database is: the embedded server of DATA_DIR, the server of DATABASE_URL, or one of the node's own
// (DATABASE_URL_<NODE>). Opens them for a process: starts what must be started, migrates or waits for whoever does, answers the URLs.
import { enter, PATIENCE_MS, type Patience, type Way } from "./database-door.ts";
import { type Embedded, startEmbedded } from "./embedded-postgres.ts";
import type { Env } from "./env.ts";
import { migrateAll, type MigrateOptions, nodesWithMigrations, pendingOf, type Target } from "./migrations.ts";
import { refusal } from "./refusal.ts";
import { derivedLogin, type Login } from "./roles.ts";

export interface Databases {
	/** For transactions; may lead through a pooler. */
	urlFor(node: string): string;
	/** For LISTEN: reaches the server itself. */
	directUrlFor(node: string): string;
	/** What migrateAll() and its like want to know. */
	migrations: MigrateOptions;
	/** Stops the embedded server if one was started or adopted and nobody else uses it. */
	stop(): Promise<void>;
}

export interface OpenOptions {
	/** How long a server that does not answer is waited for; 0 for tools, whose user can try again. */
	patienceMs?: number;
}

/**
 * Makes the databases reachable, without migrating. `say` hears sentences for the operator.
 * Throws a refusal (a sentence) where it cannot.
 */
export async function openDatabases(
	env: Env,
	say: (sentence: string) => void,
	{ patienceMs = PATIENCE_MS }: OpenOptions = {},
): Promise<Databases> {
	await Promise.all(ownersWays(env).map((way) => enter(way, { ms: patienceMs, say }, nothingMissing)));
	const needed = nodesWithMigrations().filter((node) => env.NODES.includes(node) && !env.databases[node]?.url);
	const onlyOwn = !env.DATABASE_URL && Object.keys(env.databases).length > 0 && needed.length === 0;
	const embedded: Embedded | undefined = env.DATABASE_URL || onlyOwn ? undefined : await startEmbedded(env.DATA_DIR, { say });
	const url = env.DATABASE_URL ?? embedded?.ownerUrl;
	const directUrl = env.DATABASE_DIRECT_URL ?? url;
	const own = (node: string) => env.databases[node];
	const derived = (node: string, base: string | undefined) => {
		if (!base) throw refusal(`${node} has no database: set DATABASE_URL_${node.toUpperCase()}, or DATABASE_URL for all.`);
		return withLogin(base, derivedLogin(node, env.SECRET_KEY));
	};
	return {
		urlFor: (node) => own(node)?.url ?? derived(node, url),
		directUrlFor: (node) => own(node)?.directUrl ?? own(node)?.url ?? derived(node, directUrl),
		migrations: {
			ownerUrl: directUrl ?? "",
			secretKey: env.SECRET_KEY,
			nodes: onlyOwn ? Object.keys(env.databases) : undefined,
			elsewhere: Object.keys(env.databases).flatMap((node) => targetOf(env, node, directUrl) ?? []),
			say,
		},
		stop: async () => embedded?.stop(),
	};
}

/**
 * openDatabases(), then every migration that is pending. One of a cluster (NATS_URL) leaves that to the migration job, and waits
 * until it has brought the schemas of its own nodes to where its code expects them; on a developer's machine, where it was
 * given the owner's login, it does it itself.
 */
export async function openMigratedDatabases(env: Env, say: (sentence: string) => void, options: OpenOptions = {}): Promise<Databases> {
	const databases = await openDatabases(env, say, options);
	const patience = { ms: options.patienceMs ?? PATIENCE_MS, say };
	try {
		if (migratesItself(env)) await migrateAll(databases.migrations, "up");
		else await schemasReady(env, databases, patience);
		await poolersReady(env, databases, patience);
		return databases;
	} catch (error) {
		await databases.stop();
		throw error;
	}
}

function migratesItself(env: Env): boolean {
	if (!env.NATS_URL) return true;
	const url = env.DATABASE_DIRECT_URL ?? env.DATABASE_URL;
	return env.NODE_ENV !== "production" && nodesOf(env).length > 0 && url !== undefined && new URL(url).username !== "";
}

const nothingMissing = async () => undefined;
const nodesOf = (env: Env) => nodesWithMigrations().filter((node) => env.NODES.includes(node));

/** Where the given URL of a node comes from; undefined where it is derived from the common one. */
function ownWay(env: Env, node: string): Way | undefined {
	const { url, directUrl } = env.databases[node] ?? {};
	if (directUrl) return { variable: `DATABASE_DIRECT_URL_${node.toUpperCase()}`, url: directUrl };
	return url ? { variable: `DATABASE_URL_${node.toUpperCase()}`, url } : undefined;
}

/** The given logins. In a cluster DATABASE_URL may come without one: nodes have their own, and only the migration needs the owner's. */
function ownersWays(env: Env): Way[] {
	const url = env.DATABASE_DIRECT_URL ?? env.DATABASE_URL;
	const common = { variable: env.DATABASE_DIRECT_URL ? "DATABASE_DIRECT_URL" : "DATABASE_URL", url: url ?? "" };
	const named = url && (!env.NATS_URL || new URL(url).username);
	// A login on the common server is made by the migration: it need not be there yet.
	const theirs = nodesOf(env).filter((node) => !targetOf(env, node, url)?.login);
	return [...(named ? [common] : []), ...theirs.flatMap((node) => ownWay(env, node) ?? [])];
}

/** Each node of this process can log in and finds its schema as far as its code. */
async function schemasReady(env: Env, { directUrlFor }: Databases, patience: Patience): Promise<void> {
	const common = env.DATABASE_DIRECT_URL ? "DATABASE_DIRECT_URL" : "DATABASE_URL";
	await Promise.all(
		nodesOf(env).map((node) => {
			const way: Way = {
				variable: ownWay(env, node)?.variable ?? common,
				url: directUrlFor(node),
				loginComes: "Its login is made by the migration (npm run migrate -- up) with the same SECRET_KEY.",
			};
			return enter(way, patience, async (client) => {
				const pending = await pendingOf(client, node);
				return pending.length === 0
					? undefined
					: `The schema of ${node} lacks ${pending.join(", ")}: the migration (npm run migrate -- up) has not run.`;
			});
		}),
	);
}

/** Where transactions take another way than LISTEN, that way is tried too. */
async function poolersReady(env: Env, { urlFor, directUrlFor }: Databases, patience: Patience): Promise<void> {
	const pooled = nodesOf(env).filter((node) => urlFor(node) !== directUrlFor(node));
	const variable = (node: string) => (env.databases[node]?.url ? `DATABASE_URL_${node.toUpperCase()}` : "DATABASE_URL");
	await Promise.all(pooled.map((node) => enter({ variable: variable(node), url: urlFor(node) }, patience, nothingMissing)));
}

/** A node's URL may lead to the server that we own anyway (then its role is made there), or to one of the node's own. */
function targetOf(env: Env, node: string, ownerUrl: string | undefined): Target | undefined {
	const { url, directUrl } = env.databases[node] ?? {};
	const direct = directUrl ?? url;
	if (!direct) return undefined;
	const theirs = new URL(direct);
	const same = [env.DATABASE_URL, ownerUrl].some(
		(ours) => ours && new URL(ours).host === theirs.host && new URL(ours).pathname === theirs.pathname,
	);
	if (!same || !ownerUrl) return { node, url: direct };
	return { node, url: ownerUrl, login: { user: decodeURIComponent(theirs.username), password: decodeURIComponent(theirs.password) } };
}

function withLogin(base: string, { user, password }: Login): string {
	return Object.assign(new URL(base), { username: user, password }).href;
}
