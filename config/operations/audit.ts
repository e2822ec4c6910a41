// Operators' command about the audit.
import { operation } from "./row.ts";

const FAULTS = {
	removed: "is missing",
	changed: "is not as it was written",
	inserted: "was put there past the chain",
};

export const checkAudit = operation({
	usage: "check-audit",
	summary: "Whether the audit is whole: no entry removed, changed or put in between; names the first that is.",
	help: "Each entry carries a hash of the one before it and of its own words. Exits 1 where the chain is broken.",
	args: [],
	needs: "data",
	run: (desk) => desk.call("audit.check", {}),
	isBad: ({ ok }) => !ok,
	say({ entries, broken }) {
		if (!broken) return `The audit is whole: ${entries} entries.`;
		const which = broken.seq === null ? "An entry" : `Entry ${broken.seq}`;
		const what = broken.id === null ? "" : ` (${broken.id}, ${broken.action}, ${broken.at})`;
		return `${which}${what} ${FAULTS[broken.fault]}.`;
	},
});
