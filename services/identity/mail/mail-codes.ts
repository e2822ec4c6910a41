// Codes and links in mails: made, mailed, and held against what somebody brings.
import { createHash, createHmac, randomBytes, randomInt, timingSafeEqual } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import type { Tx } from "../../../mixins/node.ts";
import { newId, perBroker, settings } from "../../../mixins/node.ts";
import { keyFor } from "../../../mixins/secret.ts";
import { problem } from "../../contracts/errors.ts";
import type { Ctx } from "../../contracts/index.ts";
import type { Proof, Purpose } from "../domain/mail-codes.ts";
import { lifetimes, takesCodes, takesLinks } from "../domain/mail-codes.ts";
import { guess } from "../sign-in/guesses.ts";
import { identityNode } from "../node.ts";
import { codesOf } from "../store/failures.ts";
import type { CodeRow } from "../store/mail-codes.ts";
import { countTries, insertCode, lockCodes, lockLink } from "../store/mail-codes.ts";

/** Six digits are soon tried out by who reads the table: their hash needs a key that is not in it. */
const keyOf = perBroker((broker) => keyFor(settings(broker).SECRET_KEY, "codes in mails"));
const hashOfCode = (broker: ServiceBroker, id: string, code: string): Buffer =>
	createHmac("sha256", keyOf(broker)).update(`${id} ${code}`).digest();
const hashOfLink = (token: string): Buffer => createHash("sha256").update(token).digest();

/** Where links lead: pages that ask for what the token is for. */
const PAGES: Record<Purpose, string> = { verify: "verify-email", reset: "reset-password", change: "verify-email" };
const TEMPLATES = { verify: "verification", reset: "reset", change: "change" } as const;
type CodeMail = (typeof TEMPLATES)[Purpose] | "passwordRequired";

/** Who gets a code, and where. */
export interface Receiver {
	id: string;
	email: string;
	language: string | null;
}

/** Makes a code and a link and plans their mail, which is the purpose's own unless said; they end the older ones. */
export async function mailCode(
	broker: ServiceBroker,
	tx: Tx,
	purpose: Purpose,
	to: Receiver,
	now: Date,
	{ id = newId(), template = TEMPLATES[purpose] }: { id?: string; template?: CodeMail } = {},
): Promise<void> {
	const { PUBLIC_URL, TTL_MAIL_CODE } = settings(broker);
	const [code, token] = [String(randomInt(1_000_000)).padStart(6, "0"), randomBytes(32).toString("base64url")];
	const seconds = lifetimes(purpose, TTL_MAIL_CODE);
	const until = (life: number) => new Date(now.getTime() + life * 1000);
	const hashes = { codeHash: hashOfCode(broker, id, code), linkHash: hashOfLink(token) };
	const times = { codeUntil: until(seconds.code), linkUntil: until(seconds.link) };
	await insertCode(tx, { id, accountId: to.id, purpose, email: to.email, ...hashes, ...times }, now);
	const values = { code, link: `${PUBLIC_URL}/${PAGES[purpose]}?token=${token}`, minutes: Math.ceil(seconds.code / 60) };
	await identityNode(broker).sendMail(tx, { to: to.email, language: to.language, template, values });
}

/** The mail that this proves, locked until the transaction ends; a wrong code is counted. */
export async function openedBy(
	broker: ServiceBroker,
	tx: Tx,
	proof: Proof,
	purposes: readonly Purpose[],
	now: Date,
): Promise<CodeRow | undefined> {
	if ("token" in proof) {
		const row = await lockLink(tx, hashOfLink(proof.token), purposes, now);
		return row && takesLinks(row, now) ? row : undefined;
	}
	const { factor } = identityNode(broker);
	const open = (await lockCodes(tx, proof.email, purposes, now)).filter((row) => takesCodes(row, factor, now));
	const right = open.find((row) => timingSafeEqual(row.codeHash, hashOfCode(broker, row.id, proof.code)));
	if (!right)
		await countTries(
			tx,
			open.map(({ id }) => id),
		);
	return right;
}

/** The same as a try that anybody may make: wrong codes stay counted. Throws 400 `invalid-code`, 429 `rate-limited`. */
export async function provedBy(ctx: Ctx<unknown>, proof: Proof, purposes: readonly Purpose[]): Promise<CodeRow> {
	const node = identityNode(ctx.broker);
	const attempt = () => node.db.tx((tx) => openedBy(ctx.broker, tx, proof, purposes, new Date()));
	const row = "token" in proof ? await attempt() : await guess(node, ctx, codesOf(proof.email), attempt);
	if (!row) throw problem("invalid-code");
	return row;
}
