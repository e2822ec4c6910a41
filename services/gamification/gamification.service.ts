// XP, points and coins: what somebody has, why, and what earns it.
import { pageById, service } from "../../mixins/node.ts";
import { awards } from "./awards.ts";
import { levelOf } from "./domain/level.ts";
import { rules } from "./domain/rules.ts";
import { balancesOf, checkLedgers, entriesOf, forgetOwners, ledgerOf, walletsOf } from "./store.ts";

export default service("gamification", {
	consumers: { "gamification-awards": awards },
	person: {
		exports: {
			wallets: ({ profileIds }, after, limit, { db }) => walletsOf(db, profileIds, after, limit),
			entries: ({ profileIds }, after, limit, { db }) => ledgerOf(db, profileIds, after, limit),
		},
		erase: ({ profileIds }, tx) => forgetOwners(tx, profileIds),
	},

	actions: {
		async myPoints(ctx, { db }) {
			const balances = await balancesOf(db, ctx.caller.profileId);
			return { ...balances, level: levelOf(balances.xp) };
		},

		async pointsOf(ctx, { db }) {
			const { profileId } = ctx.params;
			// Who does not exist has no zero points: they are not found.
			await ctx.call("profiles.show", { profileId });
			const { xp } = await balancesOf(db, profileId);
			return { xp, level: levelOf(xp) };
		},

		async transactions(ctx, { db }) {
			return pageById(ctx.params, (before, limit) => entriesOf(db, ctx.caller.profileId, before, limit));
		},

		rules: () => ({
			data: rules.map(({ fact, currency, amount, dailyCap, who }) => ({ fact, currency, amount, dailyCap, who })),
			nextCursor: null,
		}),

		async checkLedgers(_ctx, { db }) {
			const checked = await checkLedgers(db);
			return {
				ledgers: checked.map(({ currency, sum, entries }) => ({ currency, sum, entries })),
				ok: checked.every(({ sum, wrongBalances }) => sum === 0 && wrongBalances === 0),
			};
		},
	},
});
