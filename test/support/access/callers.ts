// Whoever may ask: nobody, an account of each role, a profile of each kind.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { newId } from "../../../mixins/id.ts";
import { database } from "../../../mixins/postgres.ts";
import { accountRole, profileKind } from "../../../services/contracts/identity.ts";
import type { AccountRole, ProfileKind, Scope } from "../../../services/contracts/scopes.ts";
import { NARROW, scopesOfKind, scopesOfRole } from "../../../services/contracts/scopes.ts";
import type { Person } from "../client.ts";
import { http, person } from "../client.ts";
import { makeClient, tokenOf } from "../clients.ts";

export interface Caller {
	/** The column of the matrix. */
	name: string;
	scopes: readonly Scope[];
	/** Nobody has none. */
	person?: Person;
	/** They can have something of their own. */
	acts: boolean;
	/** A program that acts for itself: it signs in nowhere. */
	client?: true;
}

const identity = () => database("identity");

/** Signs somebody in anew: their tokens are of another session from then on. */
export async function signIn(url: string, who: Person): Promise<Person> {
	const { status, body } = await http(url, "/api/auth/login", { body: { email: who.email, password: who.password } });
	assert.equal(status, 200, JSON.stringify(body));
	return Object.assign(who, { accessToken: body.tokens.accessToken, refreshToken: body.tokens.refreshToken });
}

async function made(url: string, name: string, role: AccountRole, kind: ProfileKind): Promise<Caller> {
	const somebody = await person(url, name);
	await identity().query("update accounts set role = $2 where id = $1", [somebody.accountId, role]);
	await identity().query("update profiles set kind = $2 where account_id = $1", [somebody.accountId, kind]);
	return { name, scopes: [...scopesOfRole[role], ...scopesOfKind[kind]], person: await signIn(url, somebody), acts: true };
}

/** A registered client with all scopes of an admin; of a person it has no more than the token. */
async function client(url: string, admin: Person): Promise<Caller> {
	const scopes = scopesOfRole.admin;
	return {
		name: "client",
		scopes,
		person: { ...admin, accessToken: await tokenOf(url, await makeClient(admin, [...scopes])) },
		acts: false,
		client: true,
	};
}

/**
 * The columns: anyone, each role with a consumer profile, each other kind with the role user, an admin who must change the password, a client
 * with an admin's scopes.
 */
export async function callers(url: string): Promise<Caller[]> {
	const all: Caller[] = [{ name: "anyone", scopes: [], acts: false }];
	for (const role of accountRole.values) all.push(await made(url, role, role, "consumer"));
	for (const kind of profileKind.values.filter((other) => other !== "consumer")) all.push(await made(url, kind, "user", kind));
	const narrow = await person(url, "Narrow");
	await identity().query("update accounts set role = 'admin', state = 'mustChangePassword' where id = $1", [narrow.accountId]);
	all.push({ name: "mustChangePassword", scopes: [NARROW], person: await signIn(url, narrow), acts: false });
	const admin = all.find(({ name }) => name === "admin")?.person;
	if (admin) all.push(await client(url, admin));
	return all;
}

/** The id of an account that nobody signs in to: for what is done to accounts. */
export async function account(role: AccountRole, state = "active"): Promise<string> {
	const [id, now] = [newId(), new Date()];
	await identity().query(
		`insert into accounts (id, email, password_hash, state, role, created_at, updated_at, state_before_ban, state_before_trash)
		values ($1, $2, '', $3, $4, $5, $5, 'active', 'active')`,
		[id, `${randomUUID()}@example.org`, state, role, now],
	);
	await identity().query(
		"insert into profiles (id, account_id, display_name, kind, created_at, updated_at) values ($1, $2, 'Somebody', 'consumer', $3, $3)",
		[newId(), id, now],
	);
	return id;
}
