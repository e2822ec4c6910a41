// What would make somebody more than they are, if anybody listened; and every place in a body where it could be said.
import { randomUUID } from "node:crypto";
import type { Plain, Schema } from "./document.ts";
import { fitting } from "./document.ts";

export const GREEDY: Readonly<Record<string, unknown>> = {
	role: "admin",
	roles: ["admin"],
	state: "active",
	id: randomUUID(),
	accountId: randomUUID(),
	profileId: randomUUID(),
	userId: randomUUID(),
	clientId: randomUUID(),
	sessionId: randomUUID(),
	email: "eve@example.org",
	password: "circular thoughts",
	kind: "organization",
	scope: "clients:write",
	scopes: ["clients:write"],
	emailVerified: true,
	email_verified: true,
	verifiedAt: "2020-01-01T00:00:00.000Z",
	mfa: false,
	acr: "2",
	authTime: 4_000_000_000,
	bannedUntil: null,
	passwordHash: "x",
	createdAt: "2020-01-01T00:00:00.000Z",
	publishedAt: "2020-01-01T00:00:00.000Z",
	account: { role: "admin" },
	principal: { scopes: ["ops:read"] },
	meta: { principal: {} },
	isAdmin: true,
	$where: "1",
	$reply: 200,
	constructor: { prototype: { role: "admin" } },
	prototype: { role: "admin" },
};
/** As JSON text: JavaScript would take it for something else. */
const PROTO = '"__proto__":{"role":"admin"}';

/** A body that fits, with every field it may have, that says in one of its objects what it must not. */
export interface Greedy {
	/** Where: "" is the body itself, `texts.en` an object inside. */
	at: string;
	text: string;
	/** What must be refused, as paths. */
	refused: string[];
}

const isObject = (schema: Schema): boolean => (Array.isArray(schema.type) ? schema.type[0] : schema.type) === "object";

/** Everything that fits, also what may be left out. */
function whole(given: Schema, plain: Plain): unknown {
	const schema = plain(given);
	if (isObject(schema))
		return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, whole(inner, plain)]));
	return fitting(schema, plain);
}

/** The objects of a body with fixed fields: the place of each, and what it may have. */
function objects(given: Schema, plain: Plain, at: readonly string[] = []): { at: readonly string[]; own: string[] }[] {
	const schema = plain(given);
	if (!isObject(schema) || (!schema.properties && at.length > 0)) return [];
	const properties = schema.properties ?? {};
	return [
		{ at, own: Object.keys(properties) },
		...Object.entries(properties).flatMap(([name, inner]) => objects(inner, plain, [...at, name])),
	];
}

/** @param taken names that the path gives: they are not the body's, and refused there as well */
export function greedy(schema: Schema, plain: Plain): Greedy[] {
	return objects(schema, plain).map(({ at, own }) => {
		const extra = Object.entries(GREEDY).filter(([name]) => !own.includes(name));
		const body = whole(schema, plain) as Record<string, unknown>;
		let place = body;
		for (const name of at) place = place[name] as Record<string, unknown>;
		Object.assign(place, { "\u0000": 0 }, Object.fromEntries(extra));
		const text = JSON.stringify(body).replace('"\\u0000":0', PROTO);
		const names = ["__proto__", ...extra.map(([name]) => name)];
		return { at: at.join("."), text, refused: names.map((name) => [...at, name].join(".")).sort() };
	});
}
