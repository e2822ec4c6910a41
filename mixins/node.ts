// How a service is written: `defineService`, and `implement`, which ties handlers to the contract. Every action of the
// contract under the service's name must be there, and each handler gets and gives what its contract says.
import type { ActionSchema, Context, Service, ServiceBroker, ServiceSchema } from "moleculer";
import { problem } from "../services/contracts/errors.ts";
import { allActions, contractOf, isActionName } from "../services/contracts/index.ts";
import type {
	ActionName,
	Answer,
	AnswerIn,
	CallOptions,
	Ctx,
	Idempotency,
	Meta,
	Params,
	ParamsIn,
	Principal,
} from "../services/contracts/index.ts";

/** The first half of an action's name. */
export type ServiceName = ActionName extends infer A ? (A extends `${infer S}.${string}` ? S : never) : never;

/** All handlers of a service, by the second half of the action's name. */
export type Handlers<S extends ServiceName> = AllHandlers[S];
// Looked up by name: of a mapped type that waits for S, TypeScript could not say what `ctx` is.
type AllHandlers = { [S in ServiceName]: HandlersOf<S> };
type HandlersOf<S extends ServiceName> = {
	[A in ActionName as A extends `${S}.${infer Method}` ? Method : never]: (ctx: Ctx<Params<A>>) => AnswerIn<A> | Promise<AnswerIn<A>>;
};

/** A Moleculer action that fulfils a contract; config/broker/contracts.ts checks what goes in. */
export interface ContractAction extends ActionSchema {
	contract: ActionName;
	visibility: "published" | "public";
}

/** Moleculer's schema of a service, with `this` as the service itself says it is: `created(this: Mine) { … }`. */
export interface NodeSchema<This> {
	name: string;
	mixins?: Partial<ServiceSchema>[];
	/** Public: they travel to every process. */
	settings?: Record<string, unknown>;
	dependencies?: string[];
	actions?: ServiceSchema["actions"];
	events?: ServiceSchema["events"];
	hooks?: ServiceSchema["hooks"];
	// biome-ignore lint/suspicious/noExplicitAny: what a method takes is between the service and its mixins
	methods?: Record<string, (this: This, ...args: any[]) => unknown>;
	created?(this: This): void;
	started?(this: This): void | Promise<void>;
	stopped?(this: This): void | Promise<void>;
}

export const defineService = <This extends Service = Service>(schema: NodeSchema<This>): ServiceSchema => schema as ServiceSchema;
export const defineMixin = <This extends Service = Service>(schema: Partial<NodeSchema<This>>): Partial<ServiceSchema> =>
	schema as Partial<ServiceSchema>;

/**
 * The actions of a service. Doors may name only those that their contract publishes; the others are "public" in Moleculer's
 * words: for other nodes, whatever process they run in. ("protected" would mean this process only, and break the cluster.)
 */
export function implement<const S extends ServiceName>(service: S, handlers: Handlers<S>): Record<string, ContractAction> {
	const made: Record<string, ContractAction> = {};
	for (const [method, handler] of Object.entries(handlers) as [string, (ctx: Ctx) => unknown][]) {
		const name = `${service}.${method}`;
		if (!isActionName(name)) throw new Error(`There is a handler for ${name}, but no contract.`);
		made[method] = {
			contract: name,
			visibility: contractOf(name).published ? "published" : "public",
			handler: async (ctx: Context) => handler(new CallCtx(ctx)),
		};
	}
	for (const name of Object.keys(allActions)) {
		if (name.startsWith(`${service}.`) && !made[name.slice(service.length + 1)])
			throw new Error(`There is a contract for ${name}, but no handler.`);
	}
	return made;
}

/** A call from outside a handler: a door, the command line, a test. `meta` says who calls and from where. */
export function callAction<A extends ActionName>(
	broker: ServiceBroker,
	name: A,
	params: ParamsIn<A>,
	{ meta = {}, ...options }: CallOptions & { meta?: Meta } = {},
): Promise<Answer<A>> {
	return broker.call(name, params, { ...options, meta, ...(meta.requestId ? { requestID: meta.requestId } : {}) }) as Promise<Answer<A>>;
}

/** Our context over Moleculer's, which stays out of the handler's reach. */
class CallCtx implements Ctx {
	readonly deadline: number;
	readonly #ctx: Context<unknown, Meta>;
	/** Kept here: Moleculer's context loses its own when the call is over, and a handler may leave work behind. */
	readonly meta: Meta;

	constructor(ctx: Context) {
		this.#ctx = ctx as unknown as Context<unknown, Meta>;
		this.meta = this.#ctx.meta;
		const timeout = this.#ctx.options.timeout ?? 0;
		this.deadline = timeout > 0 ? performance.now() + timeout : Number.POSITIVE_INFINITY;
	}
	get params(): unknown {
		return this.#ctx.params;
	}
	get caller(): Principal {
		const { principal } = this.meta;
		if (!principal) throw problem("unauthenticated");
		return principal;
	}
	get requestId(): string {
		return this.meta.requestId ?? this.#ctx.requestID ?? this.#ctx.id;
	}
	get address(): string {
		return this.meta.address ?? "";
	}
	get userAgent(): string {
		return this.meta.userAgent ?? "";
	}
	get idempotency(): Idempotency | undefined {
		return this.meta.idempotency;
	}
	get broker(): ServiceBroker {
		return this.#ctx.broker;
	}
	call<A extends ActionName>(name: A, params: ParamsIn<A>, { timeout, nodeID, sameKey = false }: CallOptions = {}): Promise<Answer<A>> {
		// The key belongs to the action that the door named: what that one calls must not claim it again.
		const meta = this.meta.idempotency && !sameKey ? { ...this.meta, idempotency: undefined } : this.meta;
		return this.#ctx.call(name, params, {
			meta,
			...(timeout === undefined ? {} : { timeout }),
			...(nodeID === undefined ? {} : { nodeID }),
		}) as Promise<Answer<A>>;
	}
}
