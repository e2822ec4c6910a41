// What the identity node offers on the rights of persons: an export of everything, erasure, and the long work behind both.
import { factTable, internal, published } from "./contract.ts";
import { accountErased } from "./persons.ts";
import { int, object, optional, text, uuid } from "./schema.ts";
import { job, jobParams, workActions } from "./work.ts";

const link = { exportId: uuid, key: text(1, 100) };

export const actions = {
	...published({
		"work.show": {
			summary: "A long work: for whoever started it, for operators, and for the holder of its ticket.",
			params: jobParams,
			answer: job,
			errors: ["not-found"],
			repeatable: true,
		},
		"privacy.export": {
			summary: "Gather all that is kept of the caller, from every node, in one archive. While one is made, that one is answered.",
			params: {},
			answer: job,
			errors: ["rate-limited"],
		},
		"privacy.latest": {
			summary: "The caller's newest export.",
			params: {},
			answer: job,
			errors: ["not-found"],
			repeatable: true,
		},
		"privacy.download": {
			summary: "The archive behind the link of an export: a ZIP of `manifest.json` and one `<node>.json` each.",
			params: link,
			answer: object({ name: text(1, 100), type: text(1, 100), size: int(0), parts: int(0) }),
			errors: ["not-found", "expired"],
			repeatable: true,
		},
		"privacy.erase": {
			summary: "Erase the caller's account for good, in every node. The ticket shows how far it is: the account is gone at once.",
			params: { password: optional(text(1, 1024, { verbatim: true })) },
			answer: object({ ...job.props, ticket: text(1, 100) }),
			errors: ["wrong-password", "last-admin", "not-found", "wrong-state"],
		},
	}),
	...internal({
		...workActions("identity"),
		"privacy.part": {
			summary: "Doors: a piece of an archive, in base64.",
			params: { ...link, part: int(0) },
			answer: object({ bytes: text(0, 900_000) }),
			errors: ["not-found", "expired"],
			repeatable: true,
		},
	}),
};

export const facts = factTable({ "identity.account.erased": accountErased });
