// Where people are, as far as it is known: the time zone that their account has set. Pure.

let zones: ReadonlySet<string> | undefined;

/** Every time zone, and what they begin with: `America/Argentina/Salta` is in `America/Argentina`, and in `America`. */
function known(): ReadonlySet<string> {
	const beginnings = (zone: string): string[] => {
		const words = zone.split("/");
		return words.map((_, index) => words.slice(0, index + 1).join("/"));
	};
	zones ??= new Set(["UTC", ...Intl.supportedValuesOf("timeZone").flatMap(beginnings)]);
	return zones;
}

function isZone(name: string): boolean {
	try {
		return new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
	} catch {
		return false;
	}
}

export const isArea = (name: string): boolean => known().has(name) || isZone(name);
