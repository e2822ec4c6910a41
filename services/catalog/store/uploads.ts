// The catalog node's way to its database: uploads, each somebody's own.
import type { Queryable } from "../../../mixins/node.ts";
import type { Exported } from "../../../mixins/person/index.ts";
import type { Described, PictureSize } from "../../contracts/uploads.ts";

/** The owner is a profile, or an account with all its profiles. */
const OWN = "$2::uuid in (u.owner_id, u.account_id)";

/** Those of these uploads that are the owner's, in no order. What nothing shows yet stays for another while. */
export const describeUploads = (db: Queryable, ids: readonly string[], ownerId: string, now: Date) =>
	db.query<Described>(
		`with asked as (
			update uploads u set unused_since = greatest(u.unused_since, $3::timestamptz)
			where u.id = any($1::uuid[]) and ${OWN} and u.unused_since is not null
		)
		select u.id, f.type, f.width, f.height from uploads u join files f using (digest) where u.id = any($1::uuid[]) and ${OWN}`,
		[ids, ownerId, now],
	);

export async function findUpload(db: Queryable, id: string, ownerId: string): Promise<Described | undefined> {
	const [row] = await db.query<Described>(
		`select u.id, f.type, f.width, f.height from uploads u join files f using (digest) where u.id = $1 and ${OWN}`,
		[id, ownerId],
	);
	return row;
}

export interface FileOf {
	digest: Buffer;
	type: Described["type"];
	/** Bytes. */
	size: number;
}

/** What an upload's bytes in a size are called, whoever's it is. */
export async function fileOf(db: Queryable, id: string, size: PictureSize): Promise<FileOf | undefined> {
	const [row] = await db.query<FileOf>(
		`select f.digest, f.type, case $2::text when 'small' then f.small when 'medium' then f.medium else f.large end as size
		from uploads u join files f using (digest) where u.id = $1`,
		[id, size],
		"upload-file",
	);
	return row;
}

export interface NewUpload {
	id: string;
	ownerId: string;
	accountId: string;
	digest: Buffer;
}

export const insertUpload = (db: Queryable, { id, ownerId, accountId, digest }: NewUpload, now: Date) =>
	db.query(
		"insert into uploads (id, owner_id, account_id, digest, created_at, unused_since) values ($1, $2, $3, $4, $5::timestamptz, $5::timestamptz)",
		[id, ownerId, accountId, digest, now],
	);

/** How many an account has, and how many bytes they are. */
export async function keptBy(db: Queryable, accountId: string): Promise<{ uploads: number; bytes: number }> {
	const [kept] = await db.query<{ uploads: number; bytes: number }>(
		`select count(*)::int as uploads, coalesce(sum(f.small + f.medium + f.large), 0)::bigint as bytes
		from uploads u join files f using (digest) where u.account_id = $1`,
		[accountId],
	);
	return kept ?? { uploads: 0, bytes: 0 };
}

/** Forgets uploads that nothing has shown since a time, at most `limit`. Answers which files they had. */
export async function deleteUnused(db: Queryable, before: Date, limit: number): Promise<Buffer[]> {
	const rows = await db.query<{ digest: Buffer }>(
		`delete from uploads u where u.id in (
			select id from uploads o where unused_since < $1 and not exists (select from uses where upload_id = o.id)
			order by unused_since limit $2
		) and u.unused_since < $1 and not exists (select from uses where upload_id = u.id) returning digest`,
		[before, limit],
	);
	return rows.map(({ digest }) => digest);
}

/** Forgets all uploads of an account. Answers which files they had. */
export async function deleteUploadsOf(db: Queryable, accountId: string): Promise<Buffer[]> {
	const rows = await db.query<{ digest: Buffer }>("delete from uploads where account_id = $1 returning digest", [accountId]);
	return rows.map(({ digest }) => digest);
}

/** What an account has sent, after an upload. */
export const uploadsOf = (db: Queryable, accountId: string, after: string | null, limit: number) =>
	db.query<Exported>(
		`select u.id::text as key, u.id, u.owner_id as "profileId", f.type, f.width, f.height, f.small + f.medium + f.large as bytes,
			u.created_at as "createdAt"
		from uploads u join files f using (digest)
		where u.account_id = $1 and ($2::uuid is null or u.id > $2) order by u.id limit $3`,
		[accountId, after, limit],
	);
