// Calls between services: `ctx` as a handler has it, and `callAction` for whoever is outside of one.
import type { Context, ServiceBroker } from "moleculer";
import { problem } from "../services/contracts/errors.ts";
import type { ActionName, Answer, CallOptions, Ctx, Idempotency, Meta, ParamsIn, Principal } from "../services/contracts/index.ts";

/** A call from outside a handler: a door, the command line, a test. `meta` says who calls and from where. */
export function callAction<A extends ActionName>(
	broker: ServiceBroker,
	name: A,
	params: ParamsIn<A>,
	{ meta = {}, ...options }: CallOptions & { meta?: Meta } = {},
): Promise<Answer<A>> {
	return broker.call<Answer<A>, ParamsIn<A>>(name, params, {
		...options,
		meta,
		...(meta.requestId ? { requestID: meta.requestId } : {}),
	});
}

/** Our context over Moleculer's, which stays out of the handler's reach. */
export class CallCtx implements Ctx {
	readonly deadline: number;
	readonly #ctx: Context<unknown, Meta>;
	/** Kept here: Moleculer's context loses its own when the call is over, and a handler may leave work behind. */
	readonly meta: Meta;

	constructor(ctx: Context<unknown, Meta>) {
		this.#ctx = ctx;
		this.meta = ctx.meta;
		const timeout = ctx.options.timeout ?? 0;
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
	get actor(): string | null {
		return this.meta.principal?.profileId ?? null;
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
		return this.#ctx.call<Answer<A>, ParamsIn<A>>(name, params, {
			meta,
			...(timeout === undefined ? {} : { timeout }),
			...(nodeID === undefined ? {} : { nodeID }),
		});
	}
}
