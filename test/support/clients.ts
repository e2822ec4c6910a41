// Admins and registered clients, over HTTP: what stories about programs that act for themselves are told with.
import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { callAction } from "../../mixins/call.ts";
import type { Person, Reply } from "./client.ts";
import { http, is, person } from "./client.ts";

/** Somebody with a role. */
export async function official(app: { url: string; broker: ServiceBroker }, role: "admin" | "moderator" = "admin"): Promise<Person> {
	const someone = await person(app.url, role);
	await callAction(app.broker, "auth.setRole", { email: someone.email, role });
	const { email, password } = someone;
	const { tokens } = is(await http(app.url, "/api/auth/login", { body: { email, password } }), 200).body;
	return Object.assign(someone, { accessToken: tokens.accessToken, refreshToken: tokens.refreshToken });
}

export interface TestClient {
	clientId: string;
	clientSecret: string;
}

export const makeClient = async (admin: Person, scopes: string[] = []): Promise<TestClient> =>
	is(await admin.post("/api/admin/clients", { name: `billing ${randomUUID().slice(0, 8)}`, scopes }), 201).body;

export const basic = ({ clientId, clientSecret }: TestClient) => ({
	Authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`,
});

/** As OAuth's endpoints are asked: a form, with the client's credentials in the header. */
export function ask(url: string, path: string, fields: Record<string, string>, by?: TestClient): Promise<Reply> {
	return http(url, path, {
		body: new URLSearchParams(fields).toString(),
		headers: { "Content-Type": "application/x-www-form-urlencoded", ...(by ? basic(by) : {}) },
	});
}

/** An access token of the client's own. */
export async function tokenOf(url: string, client: TestClient, scope?: string): Promise<string> {
	const fields = { grant_type: "client_credentials", ...(scope === undefined ? {} : { scope }) };
	return is(await ask(url, "/api/auth/token", fields, client), 200).body.access_token;
}
