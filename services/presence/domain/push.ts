// What is pushed, and what an answer of a push service means. Pure.
import type { Notification } from "../../contracts/notifications.ts";
import { cut } from "./wordings.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Later than this a push is no news any more: it is given up, here and by the service that keeps it for a device that is off. */
export const PUSH_LIFE_MS = 24 * 60 * MINUTE;
const FIRST_PAUSE_MS = 5 * SECOND;
const LONGEST_PAUSE_MS = 15 * MINUTE;
/** Who asks us to wait longer is asked again after this all the same. */
const LONGEST_ASKED_MS = 60 * MINUTE;

/** Services promise 4096 bytes, of which the encryption of Web Push takes 103, and FCM's own words some. */
const MOST_BYTES = 3_500;
/** For a service that finds that too much. */
const FEW_BYTES = 1_500;

export type Message = { [name: string]: unknown } & { type: "notification" | "withdraw"; id: string };

/** What becomes of a message. `smaller`: it is too large for that service. `dead`: so is the device. `later`: after so many ms at least. */
export type Outcome =
	| { as: "sent" }
	| { as: "dead" | "refused" | "smaller"; why: string }
	| { as: "later"; why: string; after?: number | undefined };

const bytesOf = (message: object): number => Buffer.byteLength(JSON.stringify(message));

/** What a device is told: as much of the text as it may carry. */
export function messageOf(row: Pick<Notification, "id" | "kind" | "title" | "body" | "data" | "count">, { small = false } = {}): Message {
	const { id, kind, title, body, data, count } = row;
	const whole: Message = { type: "notification", id, kind, title, body, data, count };
	const most = small ? FEW_BYTES : MOST_BYTES;
	if (bytesOf(whole) <= most) return whole;
	// What it is about can be asked by its id; what it says cannot be guessed.
	const said: Message = { type: "notification", id, kind, title, body, count };
	for (let signs = [...body].length; signs > 0 && bytesOf(said) > most; signs = Math.floor(signs * 0.8)) said.body = cut(body, signs);
	return bytesOf(said) <= most ? said : { type: "notification", id, kind, title: cut(title, 100), body: "", count };
}

export const withdrawal = (id: string): Message => ({ type: "withdraw", id });

/** Says the same for every push of one notification, so that a newer one takes the place of the older: up to 32 letters. */
export const topicOf = (notificationId: string): string => notificationId.replaceAll("-", "");

/** What `Retry-After` asks for, in ms: seconds, or a date. Undefined where it says nothing that can be read. */
export function retryAfter(header: string | undefined, now: number): number | undefined {
	if (header === undefined) return undefined;
	const seconds = /^\d{1,9}$/.test(header.trim());
	const ms = seconds ? Number(header) * SECOND : /^[A-Z][a-z]{2}, \d/.test(header) ? Date.parse(header) - now : Number.NaN;
	return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_ASKED_MS);
}

/**
 * How long (ms) until it is tried again: twice as long each time, and at least as long as the service asks. `spread` (0 to 1) keeps those
 * that failed together from coming together.
 */
export const pauseBefore = (tries: number, asked: number | undefined, spread: number): number =>
	Math.max(Math.min(FIRST_PAUSE_MS * 2 ** Math.min(tries, 20), LONGEST_PAUSE_MS) * (0.75 + spread / 2), asked ?? 0);

/** RFC 8030: what the push service of a browser has answered. */
export function webOutcome(status: number, asked: number | undefined): Outcome {
	const why = `It answered ${status}.`;
	if (status >= 200 && status < 300) return { as: "sent" };
	if (status === 404 || status === 410) return { as: "dead", why };
	if (status === 413) return { as: "smaller", why };
	if (status === 429 || status === 408 || status >= 500) return { as: "later", why, after: asked };
	return { as: "refused", why };
}

/** What FCM says in the body of a refusal: `errorCode` of its own, else the status of Google's APIs. */
export function fcmCode(body: string): string {
	try {
		const { error } = JSON.parse(body) as { error?: { status?: unknown; details?: { errorCode?: unknown }[] } };
		const detail = Array.isArray(error?.details) ? error.details.find((each) => typeof each?.errorCode === "string") : undefined;
		return String(detail?.errorCode ?? error?.status ?? "").slice(0, 60);
	} catch {
		return "";
	}
}

/** Google's own name of each refusal (FcmError), before its status. `unauthorised`: the access token is not good any more. */
export function fcmOutcome(status: number, code: string, asked: number | undefined): Outcome | "unauthorised" {
	const why = `FCM answered ${status} ${code}.`;
	if (status >= 200 && status < 300) return { as: "sent" };
	// The second is a token of another project: we cannot reach it, and never will.
	if (code === "UNREGISTERED" || code === "SENDER_ID_MISMATCH" || status === 404) return { as: "dead", why };
	// Only of Apple's or a browser's key it means that ours is not the one they know: an operator must mend that.
	if (status === 401 && code !== "THIRD_PARTY_AUTH_ERROR") return "unauthorised";
	if (status === 429 || status === 408 || status >= 500) return { as: "later", why, after: asked };
	return { as: "refused", why };
}

/** What FCM is asked to deliver. Its `data` has texts alone: ours is one of them, in JSON. */
export function fcmMessage(token: string, message: Message, ttlSeconds: number): object {
	const { type, id, title, body, ...rest } = message;
	const topic = topicOf(id);
	const data = { type, id, payload: JSON.stringify({ type, id, ...rest }) };
	const ttl = `${ttlSeconds}s`;
	if (type === "withdraw") {
		return {
			token,
			data,
			android: { collapse_key: topic, priority: "NORMAL", ttl },
			apns: {
				headers: { "apns-push-type": "background", "apns-priority": "5", "apns-collapse-id": topic },
				payload: { aps: { "content-available": 1 } },
			},
		};
	}
	return {
		token,
		notification: { title, body },
		data,
		android: { collapse_key: topic, priority: "HIGH", ttl, notification: { tag: topic } },
		apns: {
			headers: { "apns-push-type": "alert", "apns-priority": "10", "apns-collapse-id": topic },
			payload: { aps: { sound: "default" } },
		},
	};
}
