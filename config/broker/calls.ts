// Which process a call goes to, and what happens when that one does not answer. A call with an actor's key goes to the
// actor's owner, then to the others in their order; any other goes to this process where it runs the action, else to
// whomever NATS picks. What was certainly not begun is asked again; what may have been, only where that does no harm.
import type { CallingOptions, Context, Middleware, ServiceBroker } from "moleculer";
import { defineMiddleware } from "../../mixins/moleculer.ts";
import { inOrder, nodesOf } from "../../mixins/owners.ts";
import { registryOf } from "../../mixins/registry.ts";
import { contractOf, isActionName } from "../../services/contracts/index.ts";
import type { ActionName, Meta } from "../../services/contracts/index.ts";

/** A call that may be repeated waits so long (ms) for one process before it asks the next. */
const ATTEMPT_MS = 2_500;
/** With less time left (ms) nobody is asked again. */
const WORTH_IT_MS = 50;
/** For so long (ms) a call waits for NATS to come back. */
const CUT_OFF_MS = 1_500;
/** Between two rounds over all processes (ms). */
const PAUSE_MS = 100;

type Options = CallingOptions & { nodeID?: string; meta?: Meta };
/** Moleculer reads the callee's context off the promise, for what goes back with the answer. */
type Called = Promise<unknown> & { ctx?: Context };
type Call = (name: string, params: unknown, options?: Options) => Called;

/** What Moleculer says of a call that nobody has begun, or of which nobody knows whether anybody has. */
const NOT_BEGUN = new Set(["SERVICE_NOT_FOUND", "SERVICE_NOT_AVAILABLE"]);
const UNKNOWN = new Set(["REQUEST_TIMEOUT", "REQUEST_REJECTED"]);

interface CallError {
	name?: string;
	type?: string;
	nodeID?: string;
	data?: { action?: unknown };
}

/** Errors of this very call: those of the calls that the callee made are the callee's answer. */
const isOf = (error: CallError, name: string, types: ReadonlySet<string>): boolean =>
	types.has(String(error.type)) && error.data?.action === name;
/** NATS was away when it was to be sent: not somebody else's trouble, but ours. */
const isCutOff = (error: CallError, own: string): boolean => error.name === "BrokerDisconnectedError" && (error.nodeID ?? own) === own;

/** @param attemptMs for tests: how long one process is waited for where another may be asked */
export function calls({ attemptMs = ATTEMPT_MS } = {}): Middleware {
	let broker: ServiceBroker;
	return defineMiddleware({
		name: "Calls",
		created(made: ServiceBroker) {
			broker = made;
		},
		call: (next: Call): Call => {
			return (name, params, options = {}) => {
				if (!broker.transit || typeof name !== "string") return next(name, params, options);
				if (options.nodeID === broker.nodeID) return here(broker, next, name, params, options);
				if (options.nodeID !== undefined || !isActionName(name)) {
					return options.nodeID === undefined ? here(broker, next, name, params, options) : next(name, params, options);
				}
				return route(broker, next, name, params, options, attemptMs);
			};
		},
	});
}

/** In this process, without a detour over NATS. */
function here(broker: ServiceBroker, next: Call, name: string, params: unknown, options: Options): Called {
	const endpoint = registryOf(broker).actions.get(name)?.nextLocal();
	if (!endpoint) return next(name, params, options);
	const ctx = broker.ContextFactory.create(broker, endpoint, (params ?? {}) as object, options as object) as Context;
	const called = endpoint.action.handler(ctx);
	called.ctx = ctx;
	return called;
}

/** Whom to ask, in this order; undefined stands for "whomever NATS picks". */
function targets(broker: ServiceBroker, name: ActionName, params: unknown): (string | undefined)[] {
	const { owner } = contractOf(name);
	const key = owner === undefined ? undefined : (params as Record<string, unknown> | undefined)?.[owner];
	const nodes = nodesOf(broker, name);
	if (typeof key === "string") return inOrder(nodes, key);
	if (nodes.includes(broker.nodeID)) return [broker.nodeID];
	// Where there is no choice, whoever waits learns at once that the process has died. Where there is, NATS may have picked
	// one that sleeps: the others are asked by name.
	return nodes.length === 1 ? nodes : [undefined, ...inOrder(nodes, String(Math.random()))];
}

function route(broker: ServiceBroker, next: Call, name: ActionName, params: unknown, options: Options, attemptMs: number): Called {
	const contract = contractOf(name);
	const repeatable = contract.repeatable === true || options.meta?.idempotency !== undefined;
	const given = options.timeout ?? broker.options.requestTimeout ?? 0;
	const began = performance.now();
	const until = began + (given > 0 ? given : 20_000);

	const attempt = (to: string | undefined, timeout: number): Called => {
		const asked: Options = { ...options, timeout, ...(to === undefined ? {} : { nodeID: to }) };
		return to === broker.nodeID ? here(broker, next, name, params, asked) : next(name, params, asked);
	};
	const ask = async (): Promise<unknown> => {
		let round = targets(broker, name, params);
		for (let turn = 0; ; turn++) {
			const left = until - performance.now();
			const called = attempt(round[turn], repeatable ? Math.min(left, attemptMs) : left);
			if (called.ctx) answer.ctx = called.ctx;
			try {
				return await called;
			} catch (thrown) {
				const error = thrown as CallError;
				const cutOff = isCutOff(error, broker.nodeID);
				const again = cutOff || isOf(error, name, NOT_BEGUN) || (repeatable && isOf(error, name, UNKNOWN));
				if (!again || until - performance.now() < WORTH_IT_MS) throw thrown;
				// A moment is bridged; whoever asks while NATS is away for longer is told so.
				if (cutOff && performance.now() - began > CUT_OFF_MS) throw thrown;
				if (turn + 1 >= round.length) {
					// Nobody offers it: whoever asks learns it at once, and tries again in their own time.
					if (turn === 0 && round[0] === undefined && nodesOf(broker, name).length === 0) throw thrown;
					await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
					round = targets(broker, name, params);
					turn = -1;
				}
			}
		}
	};
	const answer: Called = Promise.resolve().then(ask);
	return answer;
}
