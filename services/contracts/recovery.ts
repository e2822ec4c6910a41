// What the identity node offers around mail: proving an address, a lost password, and what people change of their accounts.
import { factTable, published } from "./contract.ts";
import { account, me, ownSettings, password } from "./identity.ts";
import { email, object, optional, text, uuid } from "./schema.ts";

/** The code with the address it was mailed to, or the token of the link alone. */
const proof = { email: optional(text(1, 254)), code: optional(text(1, 32)), token: optional(text(1, 128)) };
const { language, timeZone, phone } = ownSettings.props;
const knownPassword = text(1, 1024, { verbatim: true });

export const actions = {
	...published({
		"recovery.verifyEmail": {
			summary: "Prove an address by the mailed code or link: the account's own, or the one it changes to.",
			params: proof,
			answer: object({ account }),
			errors: ["invalid-code", "email-taken"],
		},
		"recovery.resendVerification": {
			summary: "Mail the verification once more. The same answer, whoever has the address.",
			params: { email },
			answer: object({}),
		},
		"recovery.forgotPassword": {
			summary: "Mail a code and a link for a new password. The same answer, whoever has the address.",
			params: { email },
			answer: object({}),
		},
		"recovery.resetPassword": {
			summary: "Set a new password by the mailed code or link. Every session of the account ends.",
			params: { ...proof, password },
			answer: object({}),
			errors: ["invalid-code"],
		},
		"recovery.changePassword": {
			summary: "Set a new password, knowing the present one. The account's other sessions end.",
			params: { currentPassword: knownPassword, newPassword: password },
			answer: object({}),
			errors: ["wrong-password"],
		},
		"recovery.changeEmail": {
			summary: "Mail a code to a new address: once confirmed (verify-email) it is the account's. The old one is told.",
			params: { email, password: knownPassword },
			answer: object({}),
			errors: ["wrong-password", "email-taken"],
		},
		"recovery.updateMe": {
			summary: "Change one's language, time zone and phone; null takes one away.",
			params: { language: optional(language), timeZone: optional(timeZone), phone: optional(phone) },
			answer: me,
		},
	}),
};

export const facts = factTable({
	"identity.account.verified": { summary: "An account's address was proved for the first time.", payload: { accountId: uuid } },
});
