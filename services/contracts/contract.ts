// What a contract file exports: `actions`, made of a published and an internal table, and `facts`.
import type { ProblemCode } from "./problems.ts";
import type { Props, Rule } from "./rules.ts";

export interface ActionContract<P extends Props = Props, A extends Rule = Rule> {
	/** One sentence: what it does and for whom. */
	readonly summary: string;
	readonly description?: string;
	readonly params: P;
	readonly answer: A;
	/** The problem codes it answers with besides the ones any action may. */
	readonly errors?: readonly ProblemCode[];
	/** May a row of the routes table or the socket table name it? Set by `published`; without it only other nodes can call it. */
	readonly published?: boolean;
	/** The param that names the actor it is about: the call goes to that actor's owner first. */
	readonly owner?: string;
	/** Asked twice does no more than asked once: it may be asked again where no answer comes. */
	readonly repeatable?: boolean;
}
export type ActionTable = Readonly<Record<string, ActionContract>>;

/** Actions that rows of the routes table and the socket table may name. */
export const published = <const T extends ActionTable>(table: T): T =>
	Object.fromEntries(Object.entries(table).map(([name, contract]) => [name, { ...contract, published: true }])) as T;
/** Actions for other nodes and operators: no door ever leads to them. */
export const internal = <const T extends ActionTable>(table: T): T => table;

export interface FactContract<P extends Props = Props> {
	/** Goes up with every change that an older receiver would misread; 1 unless said. */
	readonly version?: number;
	/** When it fires, in the past tense. */
	readonly summary: string;
	readonly payload: P;
}
export type FactTable = Readonly<Record<string, FactContract>>;
export const factTable = <const T extends FactTable>(table: T): T => table;

/** A signal may be lost: it hurries along what is found out anyway. */
export interface SignalContract<P extends Props = Props> {
	readonly summary: string;
	readonly payload: P;
}
export const signalTable = <const T extends Readonly<Record<string, SignalContract>>>(table: T): T => table;
