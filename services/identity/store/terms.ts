// Terms of service, and who has accepted which.
import type { Queryable, Tx } from "../../../mixins/postgres.ts";
import type { Terms } from "../../contracts/terms.ts";
import type { Versions } from "../domain/terms.ts";

const columns = `id, version, requires_acceptance as "requiresAcceptance", texts,
	case when published_at is null then 'draft' else 'published' end as state,
	created_at as "createdAt", updated_at as "updatedAt", published_at as "publishedAt"`;

/** What is in force: the newest that was published. */
export async function currentTerms(db: Queryable): Promise<(Terms & { publishedAt: string }) | undefined> {
	const [row] = await db.query<Terms & { publishedAt: string }>(
		`select ${columns} from terms where published_at is not null order by published_at desc, id desc limit 1`,
		[],
		"terms-current",
	);
	return row;
}

export async function findTerms(db: Queryable, id: string): Promise<Terms | undefined> {
	const [row] = await db.query<Terms>(`select ${columns} from terms where id = $1`, [id]);
	return row;
}

/** The draft or the published version; nobody else can change it until the transaction ends. */
export async function holdTerms(tx: Tx, id: string): Promise<Terms | undefined> {
	const [row] = await tx.query<Terms>(`select ${columns} from terms where id = $1 for update`, [id]);
	return row;
}

export const allTerms = (db: Queryable, before: string | null, limit: number): Promise<Terms[]> =>
	db.query<Terms>(`select ${columns} from terms where $1::uuid is null or id < $1 order by id desc limit $2`, [before, limit]);

export async function insertTerms(tx: Tx, terms: Terms): Promise<void> {
	await tx.query(
		`insert into terms (id, version, requires_acceptance, texts, created_at, updated_at)
		values ($1, $2, $3, $4, $5, $5)`,
		[terms.id, terms.version, terms.requiresAcceptance, JSON.stringify(terms.texts), terms.createdAt],
	);
}

export async function updateTerms(tx: Tx, terms: Terms): Promise<void> {
	await tx.query("update terms set version = $2, requires_acceptance = $3, texts = $4, updated_at = $5, published_at = $6 where id = $1", [
		terms.id,
		terms.version,
		terms.requiresAcceptance,
		JSON.stringify(terms.texts),
		terms.updatedAt,
		terms.publishedAt,
	]);
}

export const deleteTerms = (tx: Tx, id: string) => tx.query("delete from terms where id = $1", [id]);

export function isVersionTaken(error: unknown): boolean {
	const { code, constraint } = error as { code?: unknown; constraint?: unknown };
	return code === "23505" && constraint === "terms_version";
}

/** When the account accepted this version: now, or when it did so first. `first`: it is now. */
export async function acceptTerms(tx: Tx, accountId: string, termsId: string, now: Date): Promise<{ acceptedAt: string; first: boolean }> {
	const insert = "insert into terms_acceptances (account_id, terms_id, accepted_at) values ($1, $2, $3) on conflict do nothing returning 1";
	const first = (await tx.query(insert, [accountId, termsId, now])).length > 0;
	const [row] = await tx.query<{ acceptedAt: string }>(
		`select accepted_at as "acceptedAt" from terms_acceptances where account_id = $1 and terms_id = $2`,
		[accountId, termsId],
	);
	return { acceptedAt: row?.acceptedAt ?? now.toISOString(), first };
}

/** How an account stands to the terms. */
export async function versionsFor(db: Queryable, accountId: string): Promise<Versions> {
	const [row] = await db.query<{ id: string | null; publishedAt: string; askedSince: string | null; accepted: string | null }>(
		`select c.id, c.published_at as "publishedAt",
			(select max(published_at) from terms where requires_acceptance) as "askedSince",
			(select max(t.published_at) from terms_acceptances a join terms t on t.id = a.terms_id where a.account_id = $1) as accepted
		from terms c where c.published_at is not null order by c.published_at desc, c.id desc limit 1`,
		[accountId],
		"terms-state",
	);
	if (!row?.id) return { current: null, askedSince: null, accepted: null };
	return { current: { id: row.id, publishedAt: row.publishedAt }, askedSince: row.askedSince, accepted: row.accepted };
}
