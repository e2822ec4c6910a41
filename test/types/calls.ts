// Calls between nodes: a wrong name, param or use of the answer does not compile. Checked by tsc alone; nothing here runs.
import { implement } from "../../mixins/service.ts";
import { published } from "../../services/contracts/contract.ts";
import { problem } from "../../services/contracts/errors.ts";
import type { Answer, Ctx, Params } from "../../services/contracts/index.ts";

export async function calls(ctx: Ctx): Promise<void> {
	const group = await ctx.call("groups.create", { name: "Menders", isPublic: true });
	const name: string = group.name;
	const role: "member" | "moderator" | "admin" | null = group.role;
	await ctx.call("groups.mine", {});
	await ctx.call("groups.mine", { limit: 5 }, { timeout: 500 });

	// @ts-expect-error there is no such action
	await ctx.call("groups.make", { name: "Menders", isPublic: true });
	// @ts-expect-error a param is missing
	await ctx.call("groups.create", { name: "Menders" });
	// @ts-expect-error a param is of another type
	await ctx.call("groups.create", { name: "Menders", isPublic: "yes" });
	// @ts-expect-error a param is unknown
	await ctx.call("groups.create", { name: "Menders", isPublic: true, colour: "red" });
	// @ts-expect-error params are given, also where there are none
	await ctx.call("groups.mine");
	// @ts-expect-error the answer has no such field
	group.owner;
	// @ts-expect-error the answer's field is of another type
	const count: string = group.memberCount;
	// @ts-expect-error what may be null is not used as if it were not
	group.role.toUpperCase();
	// @ts-expect-error the answer is a promise
	ctx.call("groups.mine", {}).data;
	// @ts-expect-error nobody calls as somebody else
	await ctx.call("groups.mine", {}, { meta: { principal: null } });
	console.log(name, role, count);
}

export function identity(ctx: Ctx): void {
	// @ts-expect-error who calls is read, not written
	ctx.caller.profileId = "me";
	// @ts-expect-error nor are the scopes
	ctx.caller.scopes.push("admin:*");
	// @ts-expect-error nor is it replaced
	ctx.meta.principal = undefined;
	// @ts-expect-error Moleculer's own context is out of reach
	ctx.emit("something");
}

type Points = Answer<"gamification.myPoints">;
const balance: Points = { xp: 1, level: 0, points: 0, coins: 0 };
const rest = {
	health: async () => ({ status: "ok" as const }),
	pointsOf: async () => ({ xp: 0, level: 0 }),
	transactions: async () => ({ data: [], nextCursor: null }),
	rules: async () => ({ data: [], nextCursor: null }),
	checkLedgers: async () => ({ ok: true, ledgers: [] }),
};

// What a service must and must not do with its contract.
implement("gamification", { ...rest, myPoints: async () => balance });
implement("gamification", {
	...rest,
	myPoints: async () => balance,
	transactions: async (ctx) => ({ data: [], nextCursor: ctx.params.limit > 10 ? "more" : null }),
});
// @ts-expect-error an action of the contract has no handler
implement("gamification", rest);
// @ts-expect-error the answer is not what the contract says
implement("gamification", { ...rest, myPoints: async () => ({ xp: 1 }) });
// @ts-expect-error a handler is for no action of the contract
implement("gamification", { ...rest, myPoints: async () => balance, total: async () => 1 });
// @ts-expect-error there is no such service in the contracts
implement("bank", {});
// @ts-expect-error the params of another action
implement("gamification", { ...rest, myPoints: async (_ctx: Ctx<Params<"groups.show">>) => balance });
implement("gamification", {
	...rest,
	myPoints: async () => balance,
	// @ts-expect-error the contract has no such param
	pointsOf: async (ctx) => ({ xp: ctx.params.account.length, level: 0 }),
});

export const refusals = [
	problem("not-found"),
	problem("rate-limited", { retryAfter: 3 }),
	// @ts-expect-error there is no such problem in the table
	problem("nope"),
	// @ts-expect-error a field's fault has a code
	problem("validation", { errors: [{ path: "name", message: "is wrong" }] }),
	// @ts-expect-error extras are JSON
	problem("banned", { until: new Date() }),
];

export const named = published({
	"notes.show": { summary: "One note.", params: {}, answer: { type: "boolean" }, errors: ["not-found", "not-member"] },
	// @ts-expect-error there is no such refusal
	"notes.edit": { summary: "Change it.", params: {}, answer: { type: "boolean" }, errors: ["not-membr"] },
});
