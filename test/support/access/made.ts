// What routes of the access matrix are about, made in the database: nobody has to be allowed to make it.
import { randomUUID } from "node:crypto";
import { newId } from "../../../mixins/id.ts";
import { database } from "../../../mixins/postgres.ts";
import { insertClient } from "../../../services/identity/store/clients.ts";
import { insertTerms } from "../../../services/identity/store/terms.ts";

const now = () => new Date().toISOString();

/** The id of a registered client. */
export async function client(): Promise<string> {
	const clientId = newId();
	const made = { clientId, name: "Shop", scopes: [], createdAt: now(), rotatedAt: null, lastUsedAt: null };
	await database("identity").tx((tx) => insertClient(tx, made, randomUUID()));
	return clientId;
}

export const WORDS = { en: { title: "Terms", content: "Be kind." } };

/** The id of a version of the terms of service. */
export async function terms(state: "draft" | "published"): Promise<string> {
	const id = newId();
	const made = { id, version: randomUUID(), requiresAcceptance: true, texts: WORDS, createdAt: now(), updatedAt: now() };
	await database("identity").tx(async (tx) => {
		await insertTerms(tx, { ...made, state: "draft", publishedAt: null });
		if (state === "published") await tx.query("update terms set published_at = $2 where id = $1", [id, made.createdAt]);
	});
	return id;
}
