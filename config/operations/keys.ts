// Operators' commands about the keys that sign access tokens.
import { misused, operation } from "./row.ts";

export const rotateKeys = operation({
	usage: "rotate-keys [--now]",
	summary: "Make the next signing key; with --now the old ones are compromised and no longer believed.",
	help: "Without --now nobody notices: tokens of the old keys live their minutes to the end. With it every access token ends; whoever has a refresh token goes on with that.",
	args: ["--now?"],
	needs: "data",
	async run(desk, [word]) {
		if (word !== undefined && word !== "--now" && word !== "now") throw misused();
		return desk.call("identity.rotateKeys", { now: word !== undefined });
	},
	say: ({ kid, signsFrom, revoked }) =>
		revoked.length > 0
			? `${kid} signs from now on. No longer believed: ${revoked.join(", ")}.`
			: `${kid} is published, and signs from ${signsFrom} on.`,
});
