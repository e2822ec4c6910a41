// What stories of notifications are told with.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { database } from "../../mixins/postgres.ts";
import type { Person, TestApp } from "./kit.ts";
import { eventually, hear, is } from "./kit.ts";

/** The inbox, newest first; the welcome is left out, which everybody gets. */
export async function inbox(who: Person, query = "") {
	const { data } = is(await who.get(`/api/notifications?limit=100${query}`), 200).body;
	return data.filter(({ kind }: { kind: string }) => kind !== "welcome");
}

/** The titles of it, once there are so many. */
export const titles = (who: Person, count: number): Promise<string[]> =>
	eventually(async () => {
		const all = (await inbox(who)).map(({ title }: { title: string }) => title);
		assert.equal(all.length, count, JSON.stringify(all));
		return all;
	});

/** Somebody has been welcomed: what is heard later of them is told with their name and language. */
export const welcomed = async (...people: Person[]): Promise<void> => {
	for (const who of people)
		await eventually(async () => {
			const { data } = is(await who.get("/api/notifications"), 200).body;
			assert.ok(data.some(({ kind }: { kind: string }) => kind === "welcome"));
		});
};

/** A message as groups tell it. */
export const posted = (groupId: string, seq: number, sender: Person, more: object = {}) => ({
	type: "groups.message.posted" as const,
	aggregate: groupId,
	payload: {
		groupId,
		groupName: "Menders",
		seq,
		messageId: randomUUID(),
		senderId: sender.profileId,
		kind: "text",
		content: `message ${seq}`,
		...more,
	},
});

/** An invite as groups tell it. */
export const invite = (inviter: Person, invitee: Person, groupName = "Menders") => ({
	type: "groups.invite.created" as const,
	aggregate: randomUUID(),
	payload: {
		inviteId: randomUUID(),
		groupId: randomUUID(),
		groupName,
		inviterId: inviter.profileId,
		inviterName: inviter.displayName,
		inviteeId: invitee.profileId,
		role: "member" as const,
		expiresAt: "2999-01-01T00:00:00.000Z",
	},
});

/** A talk of two, as groups tell it; answers its id. */
export async function talkOf({ broker }: TestApp, one: Person, other: Person): Promise<string> {
	const groupId = randomUUID();
	const profileIds = [one.profileId, other.profileId];
	await hear(broker, { type: "groups.direct.created", aggregate: groupId, payload: { groupId, profileIds } });
	return groupId;
}

/** The account's address counts as proved. */
export const prove = (who: Person) =>
	database("identity").query("update accounts set state = 'active', verified_at = created_at where id = $1", [who.accountId]);

/** The jobs of the node that wait, by task. */
export async function waiting(task: string): Promise<{ key: string; at: string }[]> {
	return database("presence").query(
		`select j.key, j.run_at as at from presence_jobs._private_jobs j join presence_jobs._private_tasks t on t.id = j.task_id
		where t.identifier = $1 and j.locked_at is null order by j.run_at`,
		[task],
	);
}
