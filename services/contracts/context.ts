// What a handler works with: who calls, what travels with a call, and the calls it makes itself.
import type { ServiceBroker } from "moleculer";
import type { ActionName, Answer, ParamsIn } from "./index.ts";

/** Who calls, proved by the door that verified the token. Frozen: no action can change it, for itself or for its caller. */
export interface Principal {
	readonly accountId: string;
	readonly profileId: string;
	readonly displayName: string;
	readonly sessionId: string;
	readonly roles: readonly string[];
	readonly scopes: readonly string[];
	/** A registered client, no person: account, profile and display name are the client's own id and name. */
	readonly client?: true;
	/** Of the token itself: its id, and when it was issued (seconds since 1970). */
	readonly token?: { readonly jti: string; readonly iat: number };
	/** When the person last proved who they are in this session (seconds since 1970), and how well: "2" is better than a password alone. */
	readonly authTime?: number;
	readonly acr?: string;
	/**
	 * Made by the door that verified the token; without it nobody believes the rest. `until` in seconds since 1970; `strength`
	 * seals `authTime` and `acr`.
	 */
	readonly seal?: { readonly until: number; readonly mac: string; readonly strength?: string };
}

/** An Idempotency-Key as the door passes it: the client's key, whose and where it is, and the hash of what was asked. */
export interface Idempotency {
	readonly key: string;
	readonly scope: string;
	readonly hash: string;
}

/** What travels with a call, from the door inwards, and never back. */
export interface Meta {
	readonly principal?: Principal | undefined;
	readonly requestId?: string | undefined;
	readonly address?: string | undefined;
	readonly userAgent?: string | undefined;
	readonly idempotency?: Idempotency | undefined;
	/** The session that a page's CSRF token speaks for, where the refresh token came in a cookie: it must be of that session. */
	readonly cookieSession?: string | undefined;
	/** The socket that speaks, where it is one: signals of what it did do not go back to it. */
	readonly socketId?: string | undefined;
	/** The one thing that goes back with the answer: it is an older one, kept for the same Idempotency-Key. */
	$replyReplayed?: true;
}

export interface CallOptions {
	/** Milliseconds. */
	timeout?: number;
	/** Ask this process and no other. */
	nodeID?: string;
	/** The action asked is the one that does it: it keeps the answer for the caller's Idempotency-Key. */
	sameKey?: boolean;
}

/** What a handler works with. */
export interface Ctx<P = unknown> {
	readonly params: P;
	/** Who calls. Throws `unauthenticated` where nobody is signed in. */
	readonly caller: Principal;
	/** The profile that calls; null where nobody is signed in. With `requestId` it makes `ctx` the cause of the facts it tells. */
	readonly actor: string | null;
	readonly meta: Meta;
	readonly requestId: string;
	/** Of the client, as the door saw it; empty inside. */
	readonly address: string;
	readonly userAgent: string;
	readonly idempotency: Idempotency | undefined;
	/** When the caller stops waiting (performance.now()). It travels: what is asked on its behalf has what is left of it. */
	readonly deadline: number;
	/** Names the process's own things: `database`, room bus, actors are looked up by it. Not for calls: they would lose the caller. */
	readonly broker: ServiceBroker;
	/** Asks another node, as the same caller. */
	call<A extends ActionName>(name: A, params: ParamsIn<A>, options?: CallOptions): Promise<Answer<A>>;
}
