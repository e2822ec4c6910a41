// What a node's migrations find there when they run: role, schema and extensions, made by the owner.
import pg from "pg";
import { refusal } from "../refusal.ts";
import { closePublicSchema, EXTENSIONS, makeRole } from "../roles.ts";
import type { State, Target } from "./state.ts";

const ATTEMPTS = 10;

/** Roles belong to the server, not to the database: two databases on one server may be migrated at once and collide. */
export async function makeHomes(client: pg.Client, states: State<Target>[]): Promise<void> {
	for (let attempt = 1; ; attempt++) {
		try {
			await client.query("begin");
			await closePublicSchema(client);
			for (const { target, ready } of states) if (!ready) await makeHome(client, target);
			await client.query("commit");
			return;
		} catch (error) {
			await client.query("rollback");
			const collided = /tuple concurrently updated|already exists|duplicate key/.test((error as Error).message);
			if (!collided || attempt === ATTEMPTS) throw error;
		}
	}
}

async function makeHome(client: pg.Client, { node, login }: Target): Promise<void> {
	if (login) return makeRole(client, node, login);
	const schema = pg.escapeIdentifier(node);
	await client.query(`create schema if not exists ${schema}`);
	await client.query(
		`alter role current_user in database ${pg.escapeIdentifier(client.database ?? "")} set search_path to ${schema}, ${EXTENSIONS}`,
	);
}

/** Makes the extensions that a node's migrations name. */
export async function makeExtensions(client: pg.Client, node: string, names: Iterable<string>): Promise<void> {
	for (const name of names) {
		const command = `create extension if not exists ${pg.escapeIdentifier(name)} schema ${EXTENSIONS}`;
		await client.query(command).catch((cause) => {
			throw refusal(
				`${node} needs the extension ${name}, which could not be made (${cause.message}). Let a superuser run: ${command.replace(" schema", " cascade schema")};`,
				cause,
			);
		});
	}
}
