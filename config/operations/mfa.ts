// Operators' commands about second factors.
import { operation } from "./row.ts";

export const resetMfa = operation({
	usage: "reset-mfa <email>",
	summary: "Remove the second factors of an account whose owner has lost them.",
	help: "Its authenticator app, passkeys and recovery codes go, and its sessions end: from then on the password is enough. Be sure who asks.",
	args: ["email"],
	needs: "data",
	run: (desk, [email = ""]) => desk.call("mfa.reset", { email }),
	say: ({ email, totp, passkeys }) =>
		totp || passkeys > 0
			? `${email} signs in with the password alone now: ${totp ? "an authenticator app" : "no authenticator app"} and ${passkeys} passkeys were removed. Its sessions have ended.`
			: `${email} had no second factor. Its sessions have ended.`,
});
