// The broker's middleware that makes contracts hold: what goes into an action is what its contract says, what comes out too
// (where `checkAnswers` is on: in tests), and who calls is known to the called but not theirs to change.
//
// Moleculer merges the callee's `ctx.meta` into the caller's, so that any service could change who its caller is, or the
// HTTP status of the answer (traps C11). Here every call works on a copy, and nothing of it goes back but `$replyReplayed`.
// Moleculer's own validator is to be switched off (`validator: false`).
import type { ActionSchema, CallingOptions, Context, Middleware } from "moleculer";
import { defineMiddleware } from "../../mixins/moleculer.ts";
import { isClaimed } from "../../mixins/idempotency.ts";
import type { Seals } from "../../mixins/principal.ts";
import { problem } from "../../services/contracts/errors.ts";
import { answerChecker, isActionName, paramsChecker } from "../../services/contracts/index.ts";
import type { Meta } from "../../services/contracts/index.ts";

export interface ContractOptions {
	/** Tells a principal that a door has sealed from one that somebody wrote. */
	seals: Pick<Seals, "admit">;
	/**
	 * Fail a call whose answer is not what its contract says, or is not kept although it came with an Idempotency-Key. Costs a
	 * second look at every answer.
	 */
	checkAnswers: boolean;
}

type Handler = (ctx: Context<unknown, Meta>) => Promise<unknown>;
type Call = (name: string, params: unknown, options?: CallingOptions & { meta?: Meta; parentCtx?: Context }) => Promise<unknown>;
type Action = ActionSchema & { name: string; contract?: string };

export function contracts({ checkAnswers, seals }: ContractOptions): Middleware {
	return defineMiddleware({
		name: "Contracts",
		...(checkAnswers ? { call: noteHandedOn } : {}),
		localAction: (next: Handler, action: Action): Handler => guarded(withContract(next, action, checkAnswers), seals),
		// Checked where it arrives: whoever sends it may be anybody.
		remoteAction: (next: Handler): Handler => guarded(next),
	});
}

/** Checks what goes in and out of an action. A mistake in its definition stops the start. */
function withContract(next: Handler, action: Action, checkAnswers: boolean): Handler {
	const { contract, name } = action;
	if (contract === undefined) {
		const closed = action.visibility === "private" || action.visibility === "protected" || action.visibility === "public";
		if (!closed && !name.startsWith("$"))
			throw new Error(`The action ${name} has no contract, and no visibility that keeps it off the doors.`);
		return next;
	}
	if (!isActionName(contract) || contract !== name) throw new Error(`The action ${name} is bound to the contract ${contract}.`);
	const readParams = paramsChecker(contract);
	const readAnswer = checkAnswers ? answerChecker(contract) : undefined;

	return async (ctx) => {
		const read = readParams(ctx.params ?? {});
		if (!read.ok) throw problem("validation", { errors: read.errors });
		ctx.params = read.value;
		const answer = await next(ctx);
		if (readAnswer) {
			const checked = readAnswer(answer);
			if (!checked.ok) {
				const faults = checked.errors.map(({ path, message }) => `${path || "the answer"} ${message}`).join("; ");
				throw new Error(`The answer of ${name} is not what its contract says: ${faults}.`);
			}
			mustBeKept(name, ctx, answer);
		}
		return answer;
	};
}

/** Calls whose handler has given the Idempotency-Key to another action (`sameKey`): that one is held to it, wherever it runs. */
const handedOn = new WeakSet<Context>();

const noteHandedOn =
	(next: Call): Call =>
	(name, params, options) => {
		if (options?.parentCtx && options.meta?.idempotency) handedOn.add(options.parentCtx);
		return next(name, params, options);
	};

/** Sent again with its key, a POST must get the same answer: whoever has it keeps it. */
function mustBeKept(name: string, ctx: Context<unknown, Meta>, answer: unknown): void {
	const { idempotency } = ctx.meta;
	if (!idempotency || isClaimed(idempotency) || handedOn.has(ctx)) return;
	// An older answer, which the action knows by a name that its own params gave it (messages.post: clientId).
	if ((answer as { replayed?: unknown } | null)?.replayed === true) return;
	throw new Error(
		`${name} was given an Idempotency-Key and keeps no answer for it: sent again it would be done again. Do its work in ` +
			"once(ctx, db, (tx) => …) of mixins/idempotency.ts, or onceAfter(…); or, where another action does it, call that one with { sameKey: true }.",
	);
}

/** Runs an action on a meta of its own, and lets only the reply out of it. */
function guarded(next: Handler, seals?: Pick<Seals, "admit">): Handler {
	return async (ctx) => {
		try {
			ctx.meta = ownMeta(ctx.meta, seals);
			return await next(ctx);
		} finally {
			// Moleculer merges what is here into the caller's meta, or sends it back over the wire.
			ctx.meta = ctx.meta?.$replyReplayed === true ? { $replyReplayed: true } : {};
		}
	};
}

/** A copy, in which nobody can put another principal; what is in it was admitted, or is still to be. */
function ownMeta(given: Meta, seals?: Pick<Seals, "admit">): Meta {
	const { $replyReplayed: _caller, ...meta } = given;
	if (meta.principal) {
		const value = seals ? seals.admit(meta.principal) : meta.principal;
		Object.defineProperty(meta, "principal", { value, enumerable: true, writable: false, configurable: false });
	}
	return meta;
}
