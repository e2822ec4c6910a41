// Invites into groups.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Invite } from "../../contracts/groups.ts";
import type { Effect, NewInvite } from "../domain/decision.ts";

const inviteColumns = `i.id, i.token, i.group_id as "groupId", g.name as "groupName", i.inviter_id as "inviterId", i.invitee_id as "inviteeId",
	i.role, case when i.state = 'pending' and i.expires_at <= $1 then 'expired' else i.state end as state, i.expires_at as "expiresAt", i.created_at as "createdAt"`;

export async function findInvite(db: Queryable, now: Date, by: { id: string } | { token: string }): Promise<Invite | undefined> {
	const [column, value] = "id" in by ? ["id", by.id] : ["token", by.token];
	const [row] = await db.query<Invite>(`select ${inviteColumns} from invites i join groups g on g.id = i.group_id where i.${column} = $2`, [
		now,
		value,
	]);
	return row;
}

export async function openInvite(db: Queryable, now: Date, groupId: string, inviteeId: string): Promise<{ id: string } | undefined> {
	const [row] = await db.query<{ id: string }>(
		"select id from invites where group_id = $1 and invitee_id = $2 and state = 'pending' and expires_at > $3",
		[groupId, inviteeId, now],
	);
	return row;
}

export function invitesOfGroup(db: Queryable, now: Date, groupId: string, before: string | null, limit: number): Promise<Invite[]> {
	return db.query<Invite>(
		`select ${inviteColumns} from invites i join groups g on g.id = i.group_id
		where i.group_id = $2 and ($3::uuid is null or i.id < $3) order by i.id desc limit $4`,
		[now, groupId, before, limit],
	);
}

export function openInvitesOf(db: Queryable, now: Date, inviteeId: string, before: string | null, limit: number): Promise<Invite[]> {
	return db.query<Invite>(
		`select ${inviteColumns} from invites i join groups g on g.id = i.group_id
		where i.invitee_id = $2 and i.state = 'pending' and i.expires_at > $1 and ($3::uuid is null or i.id < $3) order by i.id desc limit $4`,
		[now, inviteeId, before, limit],
	);
}

export async function writeInvite(tx: Tx, groupId: string, invite: NewInvite): Promise<void> {
	const { id, token, inviterId, inviteeId, role, expiresAt, createdAt } = invite;
	// One that ran out unseen still holds the only open place.
	await tx.query(
		"update invites set state = 'expired', ended_at = $3 where group_id = $1 and invitee_id = $2 and state = 'pending' and expires_at <= $3",
		[groupId, inviteeId, createdAt],
	);
	await tx.query(
		`insert into invites (id, token, group_id, inviter_id, invitee_id, role, state, expires_at, created_at)
		values ($1, $2, $3, $4, $5, $6, 'pending', $7, $8)`,
		[id, token, groupId, inviterId, inviteeId, role, expiresAt, createdAt],
	);
}

export async function endInvite(tx: Tx, end: Extract<Effect, { kind: "endInvite" }>): Promise<void> {
	await tx.query("update invites set state = $2, ended_at = $3 where id = $1 and state = 'pending'", [end.inviteId, end.state, end.at]);
}
