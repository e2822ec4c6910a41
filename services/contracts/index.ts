// Everything nodes may say to each other, in one place: the table of nodes, the maps of all actions and facts, and the types
// read off them.
import * as api from "./api.ts";
import * as audience from "./audience.ts";
import * as broadcasts from "./broadcasts.ts";
import * as clients from "./clients.ts";
import type { ActionContract, FactContract } from "./contract.ts";
import * as devices from "./devices.ts";
import * as federation from "./federation.ts";
import * as gamification from "./gamification.ts";
import * as groups from "./groups.ts";
import { healthActions } from "./health.ts";
import * as identity from "./identity.ts";
import * as invites from "./invites.ts";
import * as membership from "./membership.ts";
import * as flags from "./flags.ts";
import * as messageSearch from "./message-search.ts";
import * as messages from "./messages.ts";
import * as mfa from "./mfa.ts";
import * as notifications from "./notifications.ts";
import * as operations from "./operations.ts";
import { doors, personActions, personFacts } from "./persons.ts";
import type { Door } from "./persons.ts";
import * as presence from "./presence.ts";
import * as privacy from "./privacy.ts";
import * as profiles from "./profiles.ts";
import * as recovery from "./recovery.ts";
import * as terms from "./terms.ts";
import { compile, object } from "./schema.ts";
import type { All, Checked, Infer, InferProps, Input, InputProps, Rule } from "./schema.ts";
import * as uploads from "./uploads.ts";
import * as users from "./users.ts";

export type * from "./context.ts";

/** Every node, a folder under services/, and the files here that say what it offers. */
export const nodes = {
	api: [api],
	socket: [],
	identity: [identity, audience, clients, federation, mfa, privacy, profiles, recovery, terms, users],
	groups: [groups, invites, membership, messages, messageSearch, flags],
	gamification: [gamification],
	presence: [presence, notifications, devices, broadcasts],
	catalog: [uploads],
} as const;
export type NodeName = keyof typeof nodes;
export const nodeNames = Object.keys(nodes) as NodeName[];
/** The nodes that keep something, and so may keep something of a person: all but the doors. */
export type KeeperName = Exclude<NodeName, Door>;
export const keeperNames = nodeNames.filter((node): node is KeeperName => !(doors as readonly string[]).includes(node));

type Offers = (typeof nodes)[NodeName][number] | typeof operations;
type Signals = All<Extract<Offers, { signals: object }>["signals"]>;
type OfEach = ReturnType<typeof healthActions<NodeName>> | ReturnType<typeof personActions<KeeperName>>;
type FactsOfEach = ReturnType<typeof personFacts<KeeperName>>;

interface Offer {
	readonly actions: object;
	readonly facts?: object;
	readonly signals?: object;
}

const offers: readonly Offer[] = [...Object.values(nodes).flat(), operations];
export const allActions = Object.assign(
	{},
	healthActions(nodeNames),
	personActions(keeperNames),
	...offers.map(({ actions }) => actions),
) as All<Offers["actions"] | OfEach>;
export const allFacts = Object.assign({}, personFacts(keeperNames), ...offers.map(({ facts }) => facts)) as All<
	Extract<Offers, { facts: object }>["facts"] | FactsOfEach
>;

/** The node whose contracts have actions of this service: "groups" for "messages". Undefined for what every process has. */
export function nodeOf(service: string): NodeName | undefined {
	const has = ({ actions }: { actions: object }) => Object.keys(actions).some((name) => name.startsWith(`${service}.`));
	return nodeNames.find((node) => node === service || nodes[node].some(has));
}

/** Throws where two files offer the same, or a fact is not named after its node: a stream carries the facts of one (mixins/facts/streams.ts). */
export function checkNames(table: Readonly<Record<string, readonly Offer[]>> = nodes): void {
	const seen = new Set<string>();
	for (const [node, files] of Object.entries(table)) {
		for (const { actions, facts = {}, signals = {} } of files) {
			for (const name of [...Object.keys(facts), ...Object.keys(signals)])
				if (!name.startsWith(`${node}.`))
					throw new Error(`"${name}" in services/contracts is told by the node ${node}: call it "${node}.${name}".`);
			for (const name of [...Object.keys(actions), ...Object.keys(facts).map((fact) => `the fact ${fact}`)]) {
				if (seen.has(name)) throw new Error(`"${name}" stands twice in services/contracts.`);
				seen.add(name);
			}
		}
	}
}
checkNames();

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

// ---------------------------------------------------------------- signals and facts

export type SignalName = keyof Signals;
export type SignalPayload<N extends SignalName> = InferProps<Signals[N]["payload"]>;

export type FactName = keyof typeof allFacts;
export const factContract = (name: FactName): FactContract => allFacts[name];
export type FactPayload<N extends FactName> = InferProps<(typeof allFacts)[N]["payload"]>;

/** A fact as it is stored and delivered. Tell facts of several names apart by `type`. */
export interface Fact<N extends FactName = FactName> {
	/** UUIDv7: the same fact heard twice has the same id. */
	id: string;
	type: N;
	version: number;
	/** ISO 8601, when it was decided. */
	at: string;
	/** What it is about, by its id (a group's, an account's, a note's): the facts of one aggregate come in order. */
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
