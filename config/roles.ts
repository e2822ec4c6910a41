/**
 * One role and one schema per node: a query into another node's schema fails by permission, whatever the code tries.
 * The role owns its schema, so that it can make what only run time knows (a month's partition, the job queue's tables).
 * Search path and time limits belong to the role, not to a session: they hold behind a transaction pooler too.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import pg from "pg";

export interface Login {
	user: string;
	password: string;
}

/** Extensions live here, owned by whoever migrates; every node may use it, none may create in it. */
export const EXTENSIONS = "extensions";

/** What each role is told; to change one, change it here: the fingerprint notices. */
const settings: Record<string, string> = {
	statement_timeout: "30s",
	idle_in_transaction_session_timeout: "30s",
	lock_timeout: "10s",
	timezone: "UTC", // a day, and the bounds of a month's partition, are the same whatever the server's clock shows
	datestyle: "ISO, MDY", // the one form of times that mixins/postgres-types.ts reads
	jit: "off", // compiles for longer than our short statements run
};

/** The login of a node in a database whose owner is us: the password follows from SECRET_KEY, so nobody has to keep it. */
export function derivedLogin(node: string, secretKey: string): Login {
	return { user: node, password: createHmac("sha256", secretKey).update(`reloop/database-role/${node}`).digest("base64url") };
}

/** Kept as the role's comment: tells without a login whether the role is as this version and this SECRET_KEY want it. */
export function fingerprint(node: string, login: Login): string {
	const wanted = JSON.stringify([1, node, login, settings, EXTENSIONS]);
	return `reloop ${createHash("sha256").update(wanted).digest("hex").slice(0, 32)}`;
}

const quote = pg.escapeIdentifier;
const text = pg.escapeLiteral;

/** Makes (or mends) role and schema of a node. `client` is connected as the owner and may create both. */
export async function makeRole(client: pg.Client, node: string, login: Login): Promise<void> {
	const role = quote(login.user);
	const { rows: present } = await client.query("select from pg_roles where rolname = $1", [login.user]);
	const options = `login noinherit password ${text(scramVerifier(login.password))}`;
	await client.query(present[0] ? `alter role ${role} with ${options}` : `create role ${role} with ${options}`);
	// An owner who is no superuser must be a member of the role to give it a schema and to act as it.
	// Before PostgreSQL 16 a member may always do so, and there is no word for it.
	const { rows: who } = await client.query(
		"select rolsuper or pg_has_role(rolname, $1, case when current_setting('server_version_num')::integer < 160000 then 'member' else 'set' end) as enough from pg_roles where rolname = current_user",
		[login.user],
	);
	if (!who[0].enough) await client.query(`grant ${role} to current_user`);
	await client.query(`create schema if not exists ${quote(node)} authorization ${role}`);
	await client.query(`alter role ${role} set search_path to ${quote(node)}, ${quote(EXTENSIONS)}`);
	for (const [name, value] of Object.entries(settings)) await client.query(`alter role ${role} set ${name} to ${text(value)}`);
	await client.query(`comment on role ${role} is ${text(fingerprint(node, login))}`);
}

/** Closes what PostgreSQL leaves open to everyone: the schema `public`. Skipped where it is not ours to close. */
export async function closePublicSchema(client: pg.Client): Promise<void> {
	await client.query(`create schema if not exists ${quote(EXTENSIONS)}`);
	await client.query(`grant usage on schema ${quote(EXTENSIONS)} to public`);
	const { rows } = await client.query("select pg_has_role(nspowner, 'usage') as ours from pg_namespace where nspname = 'public'");
	if (rows[0]?.ours) await client.query("revoke all on schema public from public");
}

/** What PostgreSQL stores instead of a password (RFC 5803): made here, so that no password stands in a statement or a log. */
function scramVerifier(password: string): string {
	const rounds = 4096;
	const salt = randomBytes(16);
	const salted = pbkdf2Sync(password, salt, rounds, 32, "sha256");
	const sign = (words: string) => createHmac("sha256", salted).update(words).digest();
	const stored = createHash("sha256").update(sign("Client Key")).digest("base64");
	return `SCRAM-SHA-256$${rounds}:${salt.toString("base64")}$${stored}:${sign("Server Key").toString("base64")}`;
}
