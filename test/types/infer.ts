// The types read off rules are exact: never looser, never `any`. Checked by tsc alone; nothing here runs.
import {
	array,
	type bool,
	defaulted,
	either,
	int,
	type json,
	list,
	literal,
	nullable,
	number,
	object,
	oneOf,
	optional,
	type page,
	record,
	text,
	type time,
	union,
	uuid,
} from "../../services/contracts/schema.ts";
import type { Infer, InferProps, Input, InputProps, Json } from "../../services/contracts/schema.ts";

/** True for the same type and for nothing else; `any` is only the same as `any`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <_ extends true>() => undefined;

// @ts-expect-error the comparison tells different types apart
is<Same<{ a?: string }, { a: string | undefined }>>();
// @ts-expect-error and is not taken in by any
is<Same<ReturnType<typeof JSON.parse>, string>>();

const name = text(1, 100);
is<Same<Infer<typeof name>, string>>();
is<Same<Infer<typeof uuid>, string>>();
is<Same<Infer<typeof time>, string>>();
is<Same<Infer<ReturnType<typeof int>>, number>>();
is<Same<Infer<ReturnType<typeof number>>, number>>();
is<Same<Infer<typeof bool>, boolean>>();
is<Same<Infer<typeof json>, Json>>();

const role = oneOf("member", "admin");
is<Same<Infer<typeof role>, "member" | "admin">>();
const size = oneOf(1, 2, "big");
is<Same<Infer<typeof size>, 1 | 2 | "big">>();
const three = literal(3);
is<Same<Infer<typeof three>, 3>>();

const names = array(name);
is<Same<Infer<typeof names>, string[]>>();
is<Same<Input<typeof names>, readonly string[]>>();
const maybeRole = nullable(role);
is<Same<Infer<typeof maybeRole>, "member" | "admin" | null>>();
const holes = array(nullable(int()));
is<Same<Infer<typeof holes>, (number | null)[]>>();
const counts = record(int());
is<Same<Infer<typeof counts>, { [key: string]: number }>>();

const person = object({
	id: uuid,
	name: optional(name),
	role: nullable(role),
	nick: optional(nullable(name)),
	limit: defaulted(int(), 20),
	home: object({ city: name, tags: defaulted(array(role), []) }),
});
is<
	Same<
		Infer<typeof person>,
		{
			id: string;
			role: "member" | "admin" | null;
			limit: number;
			home: { city: string; tags: ("member" | "admin")[] };
			name?: string;
			nick?: string | null;
		}
	>
>();
is<
	Same<
		Input<typeof person>,
		{
			readonly id: string;
			readonly role: "member" | "admin" | null;
			readonly home: { readonly city: string; readonly tags?: readonly ("member" | "admin")[] };
			readonly name?: string;
			readonly nick?: string | null;
			readonly limit?: number;
		}
	>
>();
is<Same<InferProps<typeof page>, { limit: number; cursor?: string }>>();
is<Same<InputProps<typeof page>, { readonly limit?: number; readonly cursor?: string }>>();
const people = list(object({ id: uuid }));
is<Same<Infer<typeof people>, { data: { id: string }[]; nextCursor: string | null }>>();

const what = union("kind", { text: object({ body: name }), place: object({ lat: number(), lng: optional(number()) }) });
const found = either(object({ id: name }), object({ missing: literal(true), near: optional(int()) }));
is<Same<Infer<typeof found>, { id: string } | { missing: true; near?: number }>>();
type What = Infer<typeof what>;
is<Same<What, { kind: "text"; body: string } | { kind: "place"; lat: number; lng?: number }>>();

/** The tag narrows, and a switch over it is exhaustive. */
export function bodyOf(given: What): string {
	switch (given.kind) {
		case "text":
			return given.body;
		case "place":
			// @ts-expect-error a place has no body
			return given.body;
		default:
			return given satisfies never;
	}
}

// @ts-expect-error a default is a value of its rule
defaulted(int(), "20");
// @ts-expect-error also where the rule is one of several values
defaulted(role, "owner");
// @ts-expect-error a field is a rule, not a type's name
object({ id: "uuid" });
// @ts-expect-error a variant is an object
union("kind", { text: name });
// @ts-expect-error missing is not the same as optional
export const lacking: Infer<typeof person> = { id: "1", role: null, home: { city: "x", tags: [] } };
// @ts-expect-error optional is not nullable
export const nulled: Infer<typeof person> = { id: "1", role: null, limit: 1, home: { city: "x", tags: [] }, name: null };
// @ts-expect-error a word that is none of the several
export const misspelt: Infer<typeof role> = "Admin";
// @ts-expect-error a date is no JSON
export const dated: Json = { at: new Date() };
// @ts-expect-error what a record holds may not be there
export const count: number = ({} as Infer<typeof counts>).some;
