// Everything nodes may say to each other, in one place: the maps of all actions and facts, the types read off them, and the
// `Ctx` a handler works with.
import type { ServiceBroker } from "moleculer";
import { apiActions } from "./api.ts";
import { gamificationActions, gamificationFacts } from "./gamification.ts";
import { groupsActions, groupsFacts } from "./groups.ts";
import { identityActions, identityFacts } from "./identity.ts";
import { operationsActions } from "./operations.ts";
import { presenceActions, presenceFacts } from "./presence.ts";
import { compile, object } from "./schema.ts";
import type { ActionContract, Checked, Infer, InferProps, Input, InputProps, Rule } from "./schema.ts";

export const allActions = {
	...apiActions,
	...identityActions,
	...groupsActions,
	...gamificationActions,
	...presenceActions,
	...operationsActions,
};
export const allFacts = { ...identityFacts, ...groupsFacts, ...gamificationFacts, ...presenceFacts };

// ---------------------------------------------------------------- actions

export type ActionName = keyof typeof allActions;
/** What a handler gets: checked, defaults filled in. */
export type Params<A extends ActionName> = InferProps<(typeof allActions)[A]["params"]>;
/** What a caller gives: fields with a default may be left out. */
export type ParamsIn<A extends ActionName> = InputProps<(typeof allActions)[A]["params"]>;
/** What a caller gets. */
export type Answer<A extends ActionName> = Infer<(typeof allActions)[A]["answer"]>;
/** What a handler gives: read-only lists will do. */
export type AnswerIn<A extends ActionName> = Input<(typeof allActions)[A]["answer"]>;

export const isActionName = (name: string): name is ActionName => Object.hasOwn(allActions, name);
export const contractOf = (name: ActionName): ActionContract => allActions[name];

/** What an action takes, as one rule. */
export const paramsRules: ReadonlyMap<string, Rule> = new Map(
	Object.entries(allActions).map(([name, { params }]) => [name, object(params)]),
);
export const paramsChecker = (name: ActionName): ((value: unknown) => Checked<unknown>) => compile(paramsRules.get(name) as Rule);
export const answerChecker = (name: ActionName): ((value: unknown) => Checked<unknown>) => compile(contractOf(name).answer);

// ---------------------------------------------------------------- facts

export type FactName = keyof typeof allFacts;
export type FactPayload<N extends FactName> = InferProps<(typeof allFacts)[N]["payload"]>;

/** A fact as it is stored and delivered. Tell facts of several names apart by `type`. */
export interface Fact<N extends FactName = FactName> {
	/** UUIDv7: the same fact heard twice has the same id. */
	id: string;
	type: N;
	version: number;
	/** ISO 8601, when it was decided. */
	at: string;
	/** What it is about, `group:<id>`: the facts of one aggregate come in order. */
	aggregate: string;
	requestId: string | null;
	/** The profile whose doing it was. */
	actor: string | null;
	payload: FactPayload<N>;
}
/** Any fact, as a union that `type` narrows. */
export type AnyFact = { [N in FactName]: Fact<N> }[FactName];

const payloadRules = new Map<string, Rule>(Object.entries(allFacts).map(([name, { payload }]) => [name, object(payload)]));
export const payloadChecker = (name: FactName): ((value: unknown) => Checked<unknown>) => compile(payloadRules.get(name) as Rule);

// ---------------------------------------------------------------- the context of a call

/** Who calls, proved by the door that verified the token. Frozen: no action can change it, for itself or for its caller. */
export interface Principal {
	readonly accountId: string;
	readonly profileId: string;
	readonly displayName: string;
	readonly sessionId: string;
	readonly roles: readonly string[];
	readonly scopes: readonly string[];
	/** Of the token itself: its id, and when it was issued (seconds since 1970). */
	readonly token?: { readonly jti: string; readonly iat: number };
	/** Made by the door that verified the token; without it nobody believes the rest. `until` in seconds since 1970. */
	readonly seal?: { readonly until: number; readonly mac: string };
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
