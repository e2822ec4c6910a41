// Archives of exports, and what this node itself keeps of a person.
import { newId } from "../../../mixins/id.ts";
import type { Exported, Person } from "../../../mixins/person/index.ts";
import type { Db, Queryable } from "../../../mixins/postgres.ts";

export interface Archive {
	size: number;
	parts: number;
	madeAt: string;
	expiresAt: string;
}

/** One try at an archive. Whoever begins it anew takes it from who has it. */
export interface Attempt {
	id: string;
	attempt: string;
}

/** Begins an archive, anew where a try before this one has left something. Undefined where the account is gone. */
export async function beginArchive(
	db: Db,
	id: string,
	accountId: string,
	{ madeAt, expiresAt }: { madeAt: Date; expiresAt: Date },
): Promise<Attempt | undefined> {
	const attempt = newId();
	return db.tx(async (tx) => {
		await tx.query("delete from exports where id = $1", [id]);
		const made = await tx.query(
			`insert into exports (id, account_id, attempt, made_at, expires_at)
			select $1::uuid, id, $3::uuid, $4::timestamptz, $5::timestamptz from accounts where id = $2 and state <> 'purged' returning id`,
			[id, accountId, attempt, madeAt, expiresAt],
		);
		return made.length > 0 ? { id, attempt } : undefined;
	});
}

/** Throws where another try has taken the archive over, or its account was erased meanwhile. */
export async function addPart(db: Queryable, { id, attempt }: Attempt, no: number, bytes: Buffer): Promise<void> {
	const added = await db.query(
		`insert into export_parts (export_id, no, bytes)
		select id, $3::integer, $4::bytea from exports where id = $1 and attempt = $2 for key share returning no`,
		[id, attempt, no, bytes],
	);
	if (added.length === 0) throw new Error("Another try has this archive, or its account is gone.");
}

/** Throws as `addPart` does. */
export async function endArchive(
	db: Queryable,
	{ id, attempt }: Attempt,
	{ size, parts, expiresAt }: { size: number; parts: number; expiresAt: Date },
): Promise<void> {
	const ended = await db.query("update exports set size = $3, parts = $4, expires_at = $5 where id = $1 and attempt = $2 returning id", [
		id,
		attempt,
		size,
		parts,
		expiresAt,
	]);
	if (ended.length === 0) throw new Error("Another try has this archive, or its account is gone.");
}

/** One that is whole. */
export async function findArchive(db: Queryable, id: string): Promise<Archive | undefined> {
	const [archive] = await db.query<Archive>(
		`select size, parts, made_at as "madeAt", expires_at as "expiresAt" from exports where id = $1 and size is not null`,
		[id],
	);
	return archive;
}

export async function readPart(db: Queryable, id: string, no: number): Promise<Buffer | undefined> {
	const [row] = await db.query<{ bytes: Buffer }>("select bytes from export_parts where export_id = $1 and no = $2", [id, no]);
	return row?.bytes;
}

/** Archives whose time is over. */
export async function sweepExports(db: Queryable, now: Date): Promise<void> {
	await db.query("delete from exports where expires_at < $1", [now]);
}

type Question = (db: Queryable, person: Person, after: string | null, limit: number) => Promise<Exported[]>;

const accountOf: Question = (db, { accountId }, after) =>
	db.query<Exported>(
		`select id::text as key, id, email, state, role, phone, language, time_zone as "timeZone", verified_at as "verifiedAt",
			ban_reason as "banReason", banned_at as "bannedAt", banned_until as "bannedUntil", created_at as "createdAt"
		from accounts where id = $1 and $2::text is null`,
		[accountId, after],
	);

const profiles: Question = (db, { accountId }, after, limit) =>
	db.query<Exported>(
		`select id::text as key, id, display_name as "displayName", kind, bio, avatar, created_at as "createdAt" from profiles
		where account_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
		[accountId, after, limit],
	);

/** Without what would open one. */
const sessions: Question = (db, { accountId }, after, limit) =>
	db.query<Exported>(
		`select id::text as key, id, profile_id as "profileId", device, address, created_at as "createdAt", last_used_at as "lastUsedAt",
			expires_at as "expiresAt", ended_at as "endedAt", end_reason as "endReason"
		from sessions where account_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
		[accountId, after, limit],
	);

/** What was done by the person, to them or to their sessions, and of the latter two what it says of them; who else it was is somebody else's. */
const audit: Question = (db, { accountId, profileIds }, after, limit) =>
	db.query<Exported>(
		`select id::text as key, id, at, action, "byYou", "aboutYou", case when "aboutYou" then before end as before,
			case when "aboutYou" then after end as after, case when "aboutYou" then personal::jsonb - 'salt' end as personal
		from (
			select id, at, action, before, after, personal, coalesce(actor = any($1::uuid[]), false) as "byYou",
				(target = any($2::text[]) or coalesce(detail ->> 'accountId' = $5, false)) as "aboutYou"
			from audit where (actor = any($1::uuid[]) or target = any($2::text[]) or detail ->> 'accountId' = $5)
				and ($3::uuid is null or id > $3)
		) entries order by id limit $4`,
		[[accountId, ...profileIds], [accountId, ...profileIds], after, limit, accountId],
	);

/** Who they are at others. */
const identities: Question = (db, { accountId }, after, limit) =>
	db.query<Exported>(
		`select id::text as key, provider, issuer, subject, email, name, created_at as "createdAt", last_used_at as "lastUsedAt" from identities
		where account_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
		[accountId, after, limit],
	);

/** Without what makes them work. */
const secondFactors: Question = (db, { accountId }, after, limit) =>
	db.query<Exported>(
		`select * from (
			select 'passkey ' || id as key, 'passkey' as kind, name, created_at as "createdAt", last_used_at as "lastUsedAt" from passkeys where account_id = $1
			union all
			select 'totp', 'totp', null, created_at, null from totps where account_id = $1
		) factors where $2::text is null or key collate "C" > $2 order by key collate "C" limit $3`,
		[accountId, after, limit],
	);

/** What was mailed to prove an address, without what proves it. */
const mails: Question = (db, { accountId }, after, limit) =>
	db.query<Exported>(
		`select id::text as key, purpose, email, created_at as "createdAt", ended_at as "endedAt" from mail_codes
		where account_id = $1 and ($2::uuid is null or id > $2) order by id limit $3`,
		[accountId, after, limit],
	);

const terms: Question = (db, { accountId }, after, limit) =>
	db.query<Exported>(
		`select t.id::text as key, t.id, t.version, a.accepted_at as "acceptedAt" from terms_acceptances a join terms t on t.id = a.terms_id
		where a.account_id = $1 and ($2::uuid is null or t.id > $2) order by t.id limit $3`,
		[accountId, after, limit],
	);

/** By section of `identity.json`: a table of this node more that keeps something of a person is a row more. */
export const kept = { account: accountOf, profiles, sessions, identities, secondFactors, mails, terms, audit } as const satisfies Record<
	string,
	Question
>;
