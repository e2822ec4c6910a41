// Terms of service: written, published, read, accepted.
import { newId, once, pageById, service } from "../../mixins/node.ts";
import type { Tx } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import type { Terms } from "../contracts/terms.ts";
import { acceptTexts, inLanguage } from "./domain/terms.ts";
import { identityNode } from "./node.ts";
import { addAudit } from "./store/audit.ts";
import {
	acceptTerms,
	allTerms,
	currentTerms,
	deleteTerms,
	findTerms,
	holdTerms,
	insertTerms,
	isVersionTaken,
	updateTerms,
} from "./store/terms.ts";

type AnyCtx = Ctx<unknown>;

const audit = (tx: Tx, ctx: AnyCtx, action: string, terms: Terms, now: Date) =>
	addAudit(
		tx,
		{ actor: ctx.caller.accountId, action, target: terms.id, requestId: ctx.requestId, detail: { version: terms.version } },
		now,
	);

/** The draft, held. Throws 404, and 409 `wrong-state` for what was published: others rely on its words. */
async function holdDraft(tx: Tx, id: string): Promise<Terms> {
	const found = await holdTerms(tx, id);
	if (!found) throw problem("not-found");
	if (found.state === "published")
		throw problem("wrong-state", { detail: "These terms are published: they stay as they are.", state: found.state });
	return found;
}

async function uniqueVersion<T>(work: Promise<T>): Promise<T> {
	try {
		return await work;
	} catch (error) {
		throw isVersionTaken(error) ? problem("conflict", { detail: "There is another version of this name." }) : error;
	}
}

export default service("terms", {
	node: identityNode,

	actions: {
		async current(ctx, { db }) {
			const found = await currentTerms(db);
			if (!found) throw problem("not-found", { detail: "No terms of service were published." });
			const { id, version, texts, publishedAt } = found;
			return { id, version, publishedAt, ...inLanguage(texts, ctx.params.language) };
		},

		async accept(ctx, { db }) {
			const { accountId } = ctx.caller;
			return once(ctx, db, async (tx) => {
				const current = await currentTerms(tx);
				if (!current) throw problem("not-found", { detail: "No terms of service were published." });
				const { id, version } = current;
				// Read were others than those in force: that is no acceptance of these.
				if (ctx.params.id !== undefined && ctx.params.id !== id)
					throw problem("conflict", { detail: "Other terms are in force.", currentId: id });
				const now = new Date();
				const { acceptedAt, first } = await acceptTerms(tx, accountId, id, now);
				if (first) await audit(tx, ctx, "terms.accept", current, now);
				return { id, version, acceptedAt };
			});
		},

		list: (ctx, { db }) => pageById(ctx.params, (before, limit) => allTerms(db, before, limit)),

		async show(ctx, { db }) {
			const found = await findTerms(db, ctx.params.termsId);
			if (!found) throw problem("not-found");
			return found;
		},

		async create(ctx, { db }) {
			const { version, requiresAcceptance } = ctx.params;
			const texts = acceptTexts(ctx.params.texts);
			return once(ctx, db, async (tx) => {
				const now = new Date();
				const at = now.toISOString();
				const made: Terms = {
					id: newId(),
					version,
					requiresAcceptance,
					texts,
					state: "draft",
					createdAt: at,
					updatedAt: at,
					publishedAt: null,
				};
				await uniqueVersion(insertTerms(tx, made));
				await audit(tx, ctx, "terms.create", made, now);
				return made;
			});
		},

		async change(ctx, { db }) {
			const { termsId, version, texts, requiresAcceptance } = ctx.params;
			return db.tx(async (tx) => {
				const draft = await holdDraft(tx, termsId);
				const now = new Date();
				const changed: Terms = {
					...draft,
					version: version ?? draft.version,
					texts: texts ? acceptTexts(texts) : draft.texts,
					requiresAcceptance: requiresAcceptance ?? draft.requiresAcceptance,
					updatedAt: now.toISOString(),
				};
				await uniqueVersion(updateTerms(tx, changed));
				await audit(tx, ctx, "terms.change", changed, now);
				return changed;
			});
		},

		async publish(ctx, { db }) {
			return once(ctx, db, async (tx) => {
				const draft = await holdDraft(tx, ctx.params.termsId);
				const now = new Date();
				const at = now.toISOString();
				const published: Terms = { ...draft, state: "published", updatedAt: at, publishedAt: at };
				await updateTerms(tx, published);
				await audit(tx, ctx, "terms.publish", published, now);
				return published;
			});
		},

		async remove(ctx, { db }) {
			return db.tx(async (tx) => {
				const draft = await holdDraft(tx, ctx.params.termsId);
				await deleteTerms(tx, draft.id);
				await audit(tx, ctx, "terms.remove", draft, new Date());
				return {};
			});
		},
	},
});
