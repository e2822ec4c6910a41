// Where each node's database is: the embedded server of DATA_DIR, the server of DATABASE_URL, or one of the node's own
// (DATABASE_URL_<NODE>). Opens them for a process: starts what must be started, migrates, answers the URLs.
import { type Embedded, startEmbedded } from "./embedded-postgres.ts";
import type { Env } from "./env.ts";
import { migrateAll, type MigrateOptions, nodesWithMigrations, type Target } from "./migrations.ts";
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

/**
 * Makes the databases reachable, without migrating. `say` hears sentences for the operator.
 * Throws a refusal (a sentence) where it cannot.
 */
export async function openDatabases(env: Env, say: (sentence: string) => void): Promise<Databases> {
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

/** openDatabases(), then every migration that is pending. */
export async function openMigratedDatabases(env: Env, say: (sentence: string) => void): Promise<Databases> {
	const databases = await openDatabases(env, say);
	try {
		await migrateAll(databases.migrations, "up");
		return databases;
	} catch (error) {
		await databases.stop();
		throw error;
	}
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
