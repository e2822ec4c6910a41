// Invites into groups. Their tokens are not kept: they are made of the ids (invite-token.ts).
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Invite } from "../../contracts/invites.ts";
import type { Effect, InviteMail, OpenInvite } from "../domain/decision.ts";
import type { Invitee } from "../domain/invites.ts";

/** What goes on around an invite, in the transaction that makes or ends it. */
export interface InviteTools {
	/** It ends by itself in its time. */
	plan(tx: Tx, invite: { groupId: string; inviteId: string }, at: Date): Promise<void>;
	cancel(tx: Tx, inviteId: string): Promise<void>;
	/** The mail to an address. */
	send(tx: Tx, mail: InviteMail): Promise<void>;
}

/** An invite as it is kept: the address of one that is open. */
export type InviteRow = Omit<Invite, "token" | "email"> & { email: string | null };

/** $1: now. One that ran out is expired, also where nobody has noted it yet. */
const inviteColumns = `i.id, i.group_id as "groupId", g.name as "groupName", i.inviter_id as "inviterId", i.invitee_id as "inviteeId", i.email,
	i.role, case when i.state = 'pending' and i.expires_at <= $1 then 'expired' else i.state end as state, i.expires_at as "expiresAt", i.created_at as "createdAt"`;
const invites = "from invites i join groups g on g.id = i.group_id";
const openColumns = `id, inviter_id as "inviterId", invitee_id as "inviteeId", role, expires_at as "expiresAt"`;

export async function findInvite(db: Queryable, now: Date, id: string): Promise<InviteRow | undefined> {
	const [row] = await db.query<InviteRow>(`select ${inviteColumns} ${invites} where i.id = $2`, [now, id]);
	return row;
}

/** What is known of who is to be invited. An open invite may have run out. */
export async function inviteeOf(
	db: Queryable,
	groupId: string,
	inviterId: string,
	{ profileId = null, email = null }: { profileId?: string | null | undefined; email?: string | null | undefined },
): Promise<Invitee> {
	const [row] = await db.query<Omit<Invitee, "open">>(
		`select exists (select 1 from bans where group_id = $1 and profile_id = $2) as banned,
			exists (select 1 from blocks where (profile_id = $2 and blocked_id = $3) or (profile_id = $3 and blocked_id = $2)) as blocked`,
		[groupId, profileId, inviterId],
	);
	const [open] = await db.query<NonNullable<Invitee["open"]>>(
		`select ${openColumns} from invites where group_id = $1 and (invitee_id = $2 or email = $3) and state = 'pending'`,
		[groupId, profileId, email],
	);
	return { banned: row?.banned ?? false, blocked: row?.blocked ?? false, open };
}

/** Open invites into a group by somebody, or to them. */
export function openInvitesAround(db: Queryable, groupId: string, around: { by: string } | { byOrTo: string }): Promise<OpenInvite[]> {
	const [profileId, to] = "by" in around ? [around.by, false] : [around.byOrTo, true];
	return db.query(
		`select ${openColumns} from invites where group_id = $1 and state = 'pending' and (inviter_id = $2 or ($3 and invitee_id = $2)) order by id limit 1000`,
		[groupId, profileId, to],
	);
}

export async function findPending(db: Queryable, groupId: string, id: string): Promise<(OpenInvite & { expiresAt: string }) | undefined> {
	const [row] = await db.query<OpenInvite & { expiresAt: string }>(
		`select ${openColumns} from invites where group_id = $1 and id = $2 and state = 'pending'`,
		[groupId, id],
	);
	return row;
}

export function invitesOfGroup(db: Queryable, now: Date, groupId: string, before: string | null, limit: number): Promise<InviteRow[]> {
	return db.query<InviteRow>(
		`select ${inviteColumns} ${invites} where i.group_id = $2 and ($3::uuid is null or i.id < $3) order by i.id desc limit $4`,
		[now, groupId, before, limit],
	);
}

/** To a profile, or to an address. */
export function openInvitesOf(
	db: Queryable,
	now: Date,
	invitee: { profileId: string; email: string | null },
	before: string | null,
	limit: number,
): Promise<InviteRow[]> {
	return db.query<InviteRow>(
		`select ${inviteColumns} ${invites}
		where (i.invitee_id = $2 or i.email = $3) and i.state = 'pending' and i.expires_at > $1 and ($4::uuid is null or i.id < $4)
		order by i.id desc limit $5`,
		[now, invitee.profileId, invitee.email, before, limit],
	);
}

/** Are there open invites to addresses at all? */
export async function anyToAddresses(db: Queryable): Promise<boolean> {
	return (await db.query("select 1 from invites where email is not null limit 1", [], "invites-to-addresses")).length > 0;
}

/** With the mail to an address, and the job that ends it in its time. */
export async function writeInvite(
	tx: Tx,
	groupId: string,
	{ invite, mail }: Extract<Effect, { kind: "addInvite" }>,
	tools: InviteTools,
): Promise<void> {
	const { id, inviterId, inviteeId, email, role, expiresAt, createdAt } = invite;
	await tx.query(
		`insert into invites (id, group_id, inviter_id, invitee_id, email, role, state, expires_at, created_at)
		values ($1, $2, $3, $4, $5, $6, 'pending', $7, $8)`,
		[id, groupId, inviterId, inviteeId, email, role, expiresAt, createdAt],
	);
	await tools.plan(tx, { groupId, inviteId: id }, new Date(expiresAt));
	if (mail) await tools.send(tx, mail);
}

/** The address of one that has ended is forgotten. */
export async function endInvite(tx: Tx, end: Extract<Effect, { kind: "endInvite" }>, tools: InviteTools): Promise<void> {
	const { inviteId, state, at, inviteeId } = end;
	await tx.query(
		`update invites set state = $2, ended_at = $3, email = null, invitee_id = coalesce($4::uuid, invitee_id) where id = $1 and state = 'pending'`,
		[inviteId, state, at, inviteeId ?? null],
	);
	if (state !== "expired") await tools.cancel(tx, inviteId);
}
