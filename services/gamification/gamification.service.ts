// XP, points and coins: what somebody has, why, and what earns it.
import { decodeCursor, pageOf } from "../../mixins/cursor.ts";
import { factsOf } from "../../mixins/facts/index.ts";
import { healthOf } from "../../mixins/health.ts";
import { defineService, implement } from "../../mixins/node.ts";
import { database } from "../../mixins/postgres.ts";
import { awards } from "./awards.ts";
import { levelOf } from "./domain/level.ts";
import { rules } from "./domain/rules.ts";
import { balancesOf, checkLedgers, entriesOf } from "./store.ts";

const node = "gamification";

export default defineService({
	name: node,
	mixins: [factsOf(node, { "gamification-awards": awards })],

	actions: implement(node, {
		health: healthOf(node),

		async myPoints(ctx) {
			const balances = await balancesOf(database(node), ctx.caller.profileId);
			return { ...balances, level: levelOf(balances.xp) };
		},

		async pointsOf(ctx) {
			const { profileId } = ctx.params;
			// Who does not exist has no zero points: they are not found.
			await ctx.call("profiles.show", { profileId });
			const { xp } = await balancesOf(database(node), profileId);
			return { xp, level: levelOf(xp) };
		},

		async transactions(ctx) {
			const { limit, cursor } = ctx.params;
			const [before] = decodeCursor(cursor, ["uuid"]) ?? [null];
			const rows = await entriesOf(database(node), ctx.caller.profileId, before, limit + 1);
			return pageOf(
				rows,
				limit,
				(row) => [row.id],
				(row) => ({ ...row, at: row.at.toISOString() }),
			);
		},

		rules: () => ({
			data: rules.map(({ fact, currency, amount, dailyCap, who }) => ({ fact, currency, amount, dailyCap, who })),
			nextCursor: null,
		}),

		async checkLedgers() {
			const checked = await checkLedgers(database(node));
			return {
				ledgers: checked.map(({ currency, sum, entries }) => ({ currency, sum, entries })),
				ok: checked.every(({ sum, wrongBalances }) => sum === 0 && wrongBalances === 0),
			};
		},
	}),
});
