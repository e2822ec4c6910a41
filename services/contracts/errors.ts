// The two ways through the table of refusals (problems.ts): `problem()` makes an error that a handler throws, `toProblem()` makes
// of any thrown thing the object that goes to a client (RFC 9457). Errors are told apart by `type`: a class does not survive
// the wire between two processes, and no text of a foreign error ever leaves through here.
import { Errors } from "moleculer";
import { codeOfForeign } from "./foreign-errors.ts";
import type { ProblemCode, ProblemRow } from "./problems.ts";
import { problems } from "./problems.ts";
import type { Json } from "./schema.ts";

/** What is wrong with one value of a request; `path` is dotted: `address.city`, `items[0].id`. */
export type FieldProblem = { path: string; code: string; message: string };

/** `detail` and `errors` as on the wire; every other field is added to the wire object as it is (`until`, `retryAfter` …). */
export interface ProblemExtras {
	detail?: string;
	errors?: readonly FieldProblem[];
	[extra: string]: Json | undefined;
}

/** The error `problem()` makes: `type` is the problem's code, `code` its HTTP status. */
export interface ProblemError<C extends ProblemCode = ProblemCode> extends Error {
	readonly type: C;
	readonly code: number;
	readonly data: ProblemExtras;
}

/** What clients get. */
export type WireProblem = {
	type: string;
	title: string;
	status: number;
	detail: string;
	instance: string;
	code: ProblemCode;
	requestId: string;
	errors?: readonly FieldProblem[];
	[extra: string]: Json | undefined;
};

/** An error to throw. Extras must be fit for any client's eyes. */
export function problem<const C extends ProblemCode>(code: C, extras: ProblemExtras = {}): ProblemError<C> {
	const row: ProblemRow = problems[code];
	const error: Error = new Errors.MoleculerError(extras.detail ?? row.detail, row.status, code, extras);
	return error as ProblemError<C>;
}

/** Is this error the problem of that code, or, without a code, any problem? True also for one that crossed the wire. */
export function isProblem<C extends ProblemCode = ProblemCode>(error: unknown, code?: C): error is ProblemError<C> {
	if (typeof error !== "object" || error === null) return false;
	const { name, type, code: status } = error as { name?: unknown; type?: unknown; code?: unknown };
	if (name !== "MoleculerError" || typeof type !== "string" || !Object.hasOwn(problems, type)) return false;
	return problems[type as ProblemCode].status === status && (code === undefined || type === code);
}

/** The wire object of anything thrown: unknown errors are `internal` and say nothing of themselves. */
export function toProblem(error: unknown, where: { instance: string; requestId: string }): WireProblem {
	const known = isProblem(error);
	const code = known ? error.type : codeOfForeign(error);
	const { detail, errors, ...extras } = known ? (error.data ?? {}) : ({} as ProblemExtras);
	const { status, title, detail: usual, retryAfter }: ProblemRow = problems[code];
	return {
		...(retryAfter === undefined ? {} : { retryAfter }),
		...extras,
		type: `urn:reloop:problem:${code}`,
		title,
		status,
		detail: detail ?? usual,
		instance: where.instance,
		code,
		requestId: where.requestId,
		...(errors?.length ? { errors } : {}),
	};
}
