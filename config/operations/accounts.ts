// Operators' commands about accounts.
import { accountRole } from "../../services/contracts/identity.ts";
import { ago, columns } from "../columns.ts";
import { operation } from "./row.ts";
import { socketsOf } from "./sockets.ts";

export const create = operation({
	usage: "create <email> [password]",
	summary: "Make an administrator's account; prints a password when none is given.",
	args: ["email", "password?"],
	needs: "data",
	async run(desk, [email = "", password]) {
		const made = await desk.call("auth.create", { email, ...(password ? { password } : {}) });
		return { email: made.email, password: made.password };
	},
	say: ({ email, password }) => `${email} is an admin. Password: ${password}`,
});

export const role = operation({
	usage: "role <email> <role>",
	summary: `Give an account a role: ${accountRole.values.join(", ")}.`,
	help: "Its sessions end, so that no old token keeps the old role.",
	args: ["email", "role"],
	needs: "data",
	run: (desk, [email = "", role]) => desk.call("auth.setRole", { email, role: role as (typeof accountRole.values)[number] }),
	say: ({ email, role }) => `${email} has the role ${role}. Its sessions have ended.`,
});

export const ban = operation({
	usage: "ban <email> [reason] [until]",
	summary: "Ban an account, for good or until a time (ISO 8601, as 2026-12-31T00:00:00Z).",
	help: "Its sessions end within a second, on open sockets too. Again: with another reason and end.",
	args: ["email", "reason?", "until?"],
	needs: "data",
	run: (desk, [email = "", reason = "Banned by an operator.", until]) =>
		desk.call("users.operatorBan", { email, reason, ...(until === undefined ? {} : { until }) }),
	say: ({ email, ban: said }) => `${email} is banned${said?.until ? ` until ${said.until}` : ""}. Its sessions have ended.`,
});

export const unban = operation({
	usage: "unban <email>",
	summary: "End the ban of an account.",
	args: ["email"],
	needs: "data",
	run: (desk, [email = ""]) => desk.call("users.operatorUnban", { email }),
	say: ({ email, state }) => `${email} is ${state} again.`,
});

export const user = operation({
	usage: "user <email>",
	summary: "An account: its state and role, its profiles, its open sessions and sockets.",
	args: ["email"],
	needs: "data",
	async run(desk, [email = ""]) {
		const account = await desk.call("accounts.show", { email });
		const sockets = await socketsOf(
			desk,
			account.profiles.map(({ id }) => id),
		).catch(() => []);
		return { ...account, sockets };
	},
	say: (account) =>
		[
			`${account.email}  ${account.role}  ${account.state}${account.bannedUntil ? ` until ${account.bannedUntil}` : ""}`,
			`second factor: ${account.mfa ? account.factors.join(", ") : "none"}`,
			`id ${account.id}, made ${ago(account.createdAt)} ago`,
			`${account.sessions} open sessions${account.lastUsedAt ? `, used ${ago(account.lastUsedAt)} ago` : ""}; ${account.sockets.length} open sockets`,
			columns([["profile", "name", "kind"], ...account.profiles.map(({ id, displayName, kind }) => [id, displayName, kind])]),
		].join("\n"),
});
