// Tables for people who read a terminal.

/** Columns of equal width, two blanks apart; numbers to the right. The first row is the heading. */
export function columns(rows: readonly (readonly (string | number)[])[]): string {
	const [heading = []] = rows;
	const widths = heading.map((_cell, at) => Math.max(...rows.map((row) => String(row[at] ?? "").length)));
	const isNumber = widths.map((_width, at) => rows.slice(1).some((row) => typeof row[at] === "number"));
	return rows
		.map((row) =>
			row
				.map((cell, at) => (isNumber[at] ? String(cell).padStart(widths[at] ?? 0) : String(cell).padEnd(widths[at] ?? 0)))
				.join("  ")
				.trimEnd(),
		)
		.join("\n");
}

const UNITS: [string, number][] = [
	["d", 86_400_000],
	["h", 3_600_000],
	["m", 60_000],
	["s", 1_000],
];

/** How long ago, in the largest unit that fits: 3d, 5h, 12m, 40s. */
export function ago(time: string | Date, now = Date.now()): string {
	const span = Math.max(0, now - new Date(time).getTime());
	const [name, length] = UNITS.find(([, unit]) => span >= unit) ?? ["s", 1_000];
	return `${Math.floor(span / length)}${name}`;
}

export const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MB`;
