// How a service of a node is written:
//
//   export default service("notes", {
//     consumers: { unshare },                      // facts of other nodes it hears
//     jobs,                                        // what waits for its time
//     actions: {
//       async create(ctx, { db }) { … },           // load, decide, save, tell, answer
//     },
//   });
//
// Every action of the contract under the service's name must be there, and each handler gets and gives what its contract says.
// The service that is called like its node carries what the node has once: relay and inboxes, jobs, `<node>.health`, and what it says
// of persons.
import type { Context, Service, ServiceBroker, ServiceSchema } from "moleculer";
import { allActions, contractOf, isActionName, keeperNames, nodeOf } from "../services/contracts/index.ts";
import type { ActionName, AnswerIn, Ctx, KeeperName, Meta, Params, SignalName, SignalPayload } from "../services/contracts/index.ts";
import { CallCtx } from "./call.ts";
import type { Consumer } from "./facts/index.ts";
import { factsOf } from "./facts/index.ts";
import { healthOf } from "./health.ts";
import { eraser, exportOf } from "./person/index.ts";
import type { PersonalData } from "./person/index.ts";
import type { Db } from "./postgres.ts";
import { database } from "./postgres.ts";

/** The first half of an action's name. */
export type ServiceName = ActionName extends infer A ? (A extends `${infer S}.${string}` ? S : never) : never;

type Handler<A extends ActionName, Node> = (ctx: Ctx<Params<A>>, node: Node) => AnswerIn<A> | Promise<AnswerIn<A>>;
/** Handlers that the node's own service is given. */
type Made = "health" | "exportOf";
type HandlersOf<S extends ServiceName, Node> = {
	[A in ActionName as A extends `${S}.${infer Method}` ? (Method extends Made ? never : Method) : never]: Handler<A, Node>;
} & { [A in ActionName as A extends `${S}.${infer M extends Made}` ? M : never]?: Handler<A, Node> };
// Looked up by name: of a mapped type that waits for S, TypeScript could not say what `ctx` is.
type AllHandlers<Node> = { [S in ServiceName]: HandlersOf<S, Node> };
/** All handlers of a service, by the second half of the action's name. */
export type Handlers<S extends ServiceName, Node = unknown> = AllHandlers<Node>[S];

/** What a handler of a signal knows besides its payload. */
export interface Heard<Node> {
	node: Node;
	broker: ServiceBroker;
	/** This very process has sent it. */
	own: boolean;
}
type SignalHandlers<Node> = { [N in SignalName]?: (payload: SignalPayload<N>, heard: Heard<Node>) => void | Promise<void> };

/** What a handler gets as its second argument, where the service names nothing else. */
export interface OwnNode {
	db: Db;
}

export interface ServiceParts<S extends ServiceName, Node> {
	/** What the node's services share on a broker (made by `perBroker`); unless said, its database. */
	node?: (broker: ServiceBroker) => Node;
	actions: Handlers<S, Node>;
	/** Consumers of facts by name; the name is kept with each fact heard. Of the node's own service only. */
	consumers?: Record<string, Consumer>;
	/** What the node keeps of persons (mixins/person). Of the node's own service, and of each. */
	person?: PersonalData<Node>;
	/** What waits for its time (mixins/jobs). Of the node's own service only. */
	jobs?: { readonly mixin: Partial<ServiceSchema> };
	/** Signals it hears: they may be lost. */
	signals?: SignalHandlers<Node>;
	/** Before the process is ready; a throw stops the start. */
	started?(node: Node, broker: ServiceBroker): void | Promise<void>;
	stopped?(node: Node, broker: ServiceBroker): void | Promise<void>;
	/** Moleculer's own, such as `$node.disconnected`. */
	events?: ServiceSchema["events"];
}

/** A service of a node. Throws where handlers and contract do not match. */
export function service<const S extends ServiceName, Node = OwnNode>(name: S, parts: ServiceParts<S, Node>): ServiceSchema {
	const home = nodeOf(name);
	if (!home) throw new Error(`The service ${name} is of no node in services/contracts/index.ts.`);
	const isMain = name === home;
	if ((parts.consumers || parts.jobs || parts.person) && !isMain)
		throw new Error(`Consumers, jobs and persons of the node ${home} belong to its service ${home}, not to ${name}.`);
	const { person } = parts;
	if (isMain && isKeeper(home) && !person)
		throw new Error(`The node ${home} does not say what it keeps of persons: service("${home}", { person: { exports, erase }, … }).`);
	// Where no node is named, `Node` is its default, OwnNode.
	const own = (() => ({ db: database(home) })) as unknown as (broker: ServiceBroker) => Node;
	const nodeFor = parts.node ?? own;
	const handlers = isMain ? { health: healthOf(home), ...(person && { exportOf: exportOf(person) }), ...parts.actions } : parts.actions;
	const consumers = { ...parts.consumers, ...(person && isKeeper(home) && eraser(home, person, nodeFor)) };
	const heard = Object.entries(parts.signals ?? {}) as [SignalName, (payload: unknown, heard: Heard<Node>) => void | Promise<void>][];
	return {
		name,
		mixins: [...(isMain ? [factsOf(home, consumers)] : []), ...(parts.jobs ? [parts.jobs.mixin] : [])],
		actions: implement(name, handlers, nodeFor),
		events: {
			...parts.events,
			...Object.fromEntries(
				heard.map(([signal, handle]) => [
					signal,
					({ broker, nodeID, params }: Context) => handle(params, { node: nodeFor(broker), broker, own: nodeID === broker.nodeID }),
				]),
			),
		},
		created(this: Service) {
			nodeFor(this.broker);
		},
		async started(this: Service) {
			await parts.started?.(nodeFor(this.broker), this.broker);
		},
		async stopped(this: Service) {
			await parts.stopped?.(nodeFor(this.broker), this.broker);
		},
	};
}

const isKeeper = (node: string): node is KeeperName => (keeperNames as readonly string[]).includes(node);

/** A Moleculer action that fulfils a contract; config/broker/contracts.ts checks what goes in. */
export interface ContractAction {
	contract: ActionName;
	visibility: "published" | "public";
	handler(ctx: Context<unknown, Meta>): Promise<unknown>;
}

/**
 * The actions of a service. Doors may name only those that their contract publishes; the others are "public" in Moleculer's
 * words: for other nodes, whatever process they run in. ("protected" would mean this process only, and break the cluster.)
 */
export function implement<const S extends ServiceName, Node = undefined>(
	service: S,
	handlers: Handlers<S, Node>,
	nodeFor?: (broker: ServiceBroker) => Node,
): Record<string, ContractAction> {
	const made: Record<string, ContractAction> = {};
	for (const [method, handler] of Object.entries(handlers) as [string, (ctx: Ctx, node?: Node) => unknown][]) {
		const name = `${service}.${method}`;
		if (!isActionName(name)) throw new Error(`There is a handler for ${name}, but no contract.`);
		made[method] = {
			contract: name,
			visibility: contractOf(name).published ? "published" : "public",
			handler: async (ctx) => handler(new CallCtx(ctx), nodeFor?.(ctx.broker)),
		};
	}
	for (const name of Object.keys(allActions)) {
		if (name.startsWith(`${service}.`) && !made[name.slice(service.length + 1)])
			throw new Error(`There is a contract for ${name}, but no handler.`);
	}
	return made;
}
