// The rules that hold others (objects, unions, lists, records), as code that reads a value into a fresh one.
import type { IssueCode } from "./issues.ts";
import { teach } from "./teach.ts";

const fail = (code: IssueCode, expected: string) =>
	`errors.push({ type: "${code}", field: field, expected: ${JSON.stringify(expected)} });`;
const isPlain = `(typeof value === "object" && value !== null && !Array.isArray(value))`;
const isSafeKey = /^(?!(?:__proto__|constructor|prototype)$)[A-Za-z0-9_.:,-]{1,120}$/;

teach(
	"root",
	(rule, inner) => `
	var box = value;
	field = "";
	value = box.value;
	${inner(rule.schema.rule, "box.parsed")}
	return box;
`,
);

teach("object", (rule, inner) => {
	const props = rule.schema.props as Record<string, { filledWith?: unknown }>;
	rule.known = new Set(Object.keys(props));
	return `
		if (!${isPlain}) { ${fail("type", "an object")} return value; }
		var input = value, output = {}, place = field, read;
		${Object.entries(props)
			.map(
				([name, prop]) => `
			field = place ? place + ${JSON.stringify(`.${name}`)} : ${JSON.stringify(name)};
			value = ${name in Object.prototype ? `Object.hasOwn(input, ${JSON.stringify(name)}) ? input[${JSON.stringify(name)}] : undefined` : `input[${JSON.stringify(name)}]`};
			read = value;
			${prop.filledWith === undefined ? "" : `if (value === undefined) read = ${JSON.stringify(prop.filledWith)}; else {`}
			${inner(prop, "read")}
			${prop.filledWith === undefined ? "" : "}"}
			if (read !== undefined) output[${JSON.stringify(name)}] = read;
		`,
			)
			.join("")}
		var names = Object.keys(input), known = context.rules[${rule.index}].known;
		for (var i = 0; i < names.length; i++) {
			if (!known.has(names[i]) && (input[names[i]] !== undefined || names[i] === "__proto__")) {
				field = place ? place + "." + names[i] : names[i];
				${fail("unknown", "")}
			}
		}
		return output;
	`;
});

teach("union", (rule, inner) => {
	const { tag, variants } = rule.schema as { tag: string; variants: Record<string, { props: object }> };
	return `
		if (!${isPlain}) { ${fail("type", "an object")} return value; }
		var read = value, kind = value[${JSON.stringify(tag)}];
		switch (kind) {
			${Object.entries(variants)
				.map(
					([name, variant]) => `
				case ${JSON.stringify(name)}:
					${inner({ ...variant, props: { [tag]: { type: "equal", value: name, strict: true, nullable: false }, ...variant.props } }, "read")}
					return read;
			`,
				)
				.join("")}
		}
		field = field ? field + ${JSON.stringify(`.${tag}`)} : ${JSON.stringify(tag)};
		if (kind === undefined || kind === null) { ${fail("required", "")} } else { ${fail("enum", Object.keys(variants).join(", "))} }
		return value;
	`;
});

teach("either", (rule, inner) => {
	const { options } = rule.schema as { options: unknown[] };
	return `
		var given = value, place = field, before = errors.length, read;
		${options
			.map(
				(option) => `
			value = given;
			field = place;
			read = given;
			${inner(option, "read")}
			if (errors.length === before) return read;
			errors.length = before;
		`,
			)
			.join("")}
		field = place;
		${fail("type", "of one of the forms it may have")}
		return given;
	`;
});

teach("array", (rule, inner) => {
	const { items, min, max } = rule.schema as { items: unknown; min: number; max: number };
	return `
		if (!Array.isArray(value)) { ${fail("type", "a list")} return value; }
		if (value.length < ${min}) { ${fail("min", `${min} items long`)} return value; }
		if (value.length > ${max}) { ${fail("max", `${max} items long`)} return value; }
		var input = value, output = new Array(input.length), place = field;
		for (var i = 0; i < input.length; i++) {
			field = place + "[" + i + "]";
			value = input[i];
			output[i] = value;
			${inner(items, "output[i]")}
		}
		return output;
	`;
});

teach(
	"record",
	(rule, inner) => `
	if (!${isPlain}) { ${fail("type", "an object")} return value; }
	var input = value, output = {}, place = field, names = Object.keys(input), read;
	if (names.length > ${rule.schema.max}) { ${fail("max", `${rule.schema.max} fields long`)} return value; }
	for (var i = 0; i < names.length; i++) {
		field = place ? place + "." + names[i] : names[i];
		if (!${isSafeKey}.test(names[i])) { ${fail("key", "")} continue; }
		value = input[names[i]];
		read = value;
		${inner(rule.schema.value, "read")}
		output[names[i]] = read;
	}
	return output;
`,
);
