// What is thrown away by and by.
import type { Queryable } from "../../../mixins/postgres.ts";
import { THROTTLE_WINDOW_MS } from "../domain/login.ts";
import { DAY_MS } from "../domain/mfa.ts";

/** What no rule looks at any more: failures out of the window, tokens and sessions long over. */
export async function sweep(db: Queryable, now: Date): Promise<void> {
	const ago = (ms: number) => new Date(now.getTime() - ms);
	await db.query("delete from login_failures where at < $1", [ago(THROTTLE_WINDOW_MS)]);
	await db.query("delete from mfa_failures where at < $1", [ago(DAY_MS)]);
	await db.query("delete from mfa_tickets where expires_at < $1", [now]);
	await db.query("delete from passkey_challenges where expires_at < $1", [now]);
	await db.query("delete from totps where confirmed_at is null and created_at < $1", [ago(DAY_MS)]);
	await db.query("delete from sessions where expires_at < $1 or ended_at < $1", [ago(30 * 86_400_000)]);
	await db.query("delete from mail_codes where created_at < $1", [ago(2 * DAY_MS)]);
	await db.query("delete from deleted_profiles where deleted_at < $1", [ago(30 * DAY_MS)]);
	await db.query("delete from client_sessions where expires_at < $1", [ago(86_400_000)]);
	// Doors that were away hear of a compromised key for a day.
	await db.query("delete from signing_keys where retired_at < $1 and (revoked_at is null or revoked_at < $2)", [now, ago(86_400_000)]);
}
