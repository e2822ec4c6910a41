// The one fastest-validator of the house, and the two ways to teach it a rule: as a function that reads a value, or as code.
import fastestValidator from "fastest-validator";
import type { Found } from "./issues.ts";

/** Reads a value that stands at `field`; what is wrong with it goes to `errors`. */
type Reader = (value: unknown, field: string, errors: Found[]) => unknown;

/** A rule that is being compiled. */
interface Compiling {
	schema: Record<string, unknown>;
	messages: Record<string, string>;
	index: number;
	/** For the code, which finds them as `context.rules[index]`. */
	read?: Reader;
	known?: ReadonlySet<string>;
}

/** What a rule's function is called on. */
interface Compiler {
	getRuleFromSchema(schema: unknown): Compiling;
	compileRule(rule: Compiling, context: unknown, path: string | null, source: string, result: string): string;
}

interface Engine {
	add(type: string, compile: (this: Compiler, rule: Compiling, path: unknown, context: unknown) => { source: string }): void;
	compile(schema: Record<string, unknown>): (value: object) => true | Found[];
}

// Its types speak of a default export that its CommonJS module does not have, and not of what a rule's function is called on.
const Validator = fastestValidator as unknown as new (options: object) => Engine;
export const validator = new Validator({
	considerNullAsAValue: true,
	// Its messages would be filled in with the rejected value; ours are made from the code.
	messages: { required: "", boolean: "", enumValue: "", equalValue: "" },
});

/** Teaches a rule whose reading is a plain function. */
export function teachValue(type: string, makeReader: (schema: Record<string, unknown>) => Reader): void {
	teach(type, (rule) => {
		rule.read = makeReader(rule.schema);
		return `return context.rules[${rule.index}].read(value, field, errors);`;
	});
}

/** Teaches a rule as generated code, with `inner(rule, result)` for the code that reads `value` at `field` into `result`. */
export function teach(type: string, source: (rule: Compiling, inner: (rule: unknown, result: string) => string) => string): void {
	validator.add(type, function (compiling, _path, context) {
		const inner = (schema: unknown, result: string) =>
			this.compileRule(
				this.getRuleFromSchema(schema),
				context,
				"",
				`${result} = context.fn[%%INDEX%%](value, field, null, errors, context, null);`,
				result,
			);
		return { source: source(compiling, inner) };
	});
}
