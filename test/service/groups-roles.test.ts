// What each role may not do in a group, as a table: every route, tried by everybody who must be refused.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { groups as routes } from "../../services/api/routes/groups.ts";
import type { Person } from "../support/kit.ts";
import { is, person, testApp } from "../support/kit.ts";

const app = await testApp();

const outside = ["stranger", "requester", "invited", "banned"] as const;
const inside = ["member", "moderator", "admin"] as const;
type Role = (typeof outside)[number] | (typeof inside)[number];
const roles: readonly Role[] = [...outside, ...inside];

/** The people of the house, and what there is in it to act on: all of it the admin's doing. */
interface House {
	groupId: string;
	isPublic: boolean;
	/** Invited, asking and banned, and nobody's business but the moderators'. */
	other: Person;
	asking: Person;
	barred: Person;
	/** An invite that would make somebody an admin; and one to `other`, as a member. */
	high: string;
	low: string;
	token: string;
	seq: number;
	/** What the member said of the admin's message to the moderators. */
	flag: string;
}
let people: Record<Role, Person>;

/** What a role is answered: a code; "may", which is not tried here; or by whether the group is public. */
type Verdict = string | { public: string; private: string };
/** As a stranger of the group: it is not there, or there for others. */
const OUT: Verdict = { public: "not-member", private: "not-found" };
interface Row {
	route: string;
	/** What is special about it, where a route has several rows. */
	what?: string;
	body?: (house: House) => object;
	params?: (house: House) => Record<string, string | number>;
	query?: string;
	/** For all who are not in the group, unless they are named. */
	out?: Verdict;
	verdicts?: Partial<Record<Role, Verdict>>;
}

const staffOnly = { member: "forbidden" };
const adminOnly = { member: "forbidden", moderator: "forbidden" };
const who = (of: (house: House) => Person) => (house: House) => ({ profileId: of(house).profileId });
const nobodys: Partial<Record<Role, Verdict>> = Object.fromEntries(roles.map((role) => [role, "not-found"]));
const message = (house: House) => ({ seq: house.seq });

const table: readonly Row[] = [
	{ route: "GET /api/groups/:groupId", out: { public: "may", private: "not-found" } },
	{ route: "PATCH /api/groups/:groupId", body: () => ({ name: "Mine" }), verdicts: adminOnly },
	{ route: "DELETE /api/groups/:groupId", verdicts: adminOnly },
	{ route: "POST /api/groups/:groupId/join", out: "may", verdicts: { banned: "not-found" } },
	{ route: "POST /api/groups/:groupId/leave", verdicts: { requester: "may", admin: "last-admin" } },
	{ route: "GET /api/groups/:groupId/members" },
	{
		route: "PATCH /api/groups/:groupId/members/:profileId",
		params: who(() => people.member),
		body: () => ({ role: "moderator" }),
		verdicts: adminOnly,
	},
	{
		route: "PATCH /api/groups/:groupId/members/:profileId",
		what: "of an admin, oneself or not",
		params: who(() => people.admin),
		body: () => ({ role: "member" }),
		verdicts: { ...adminOnly, admin: "rank" },
	},
	{ route: "DELETE /api/groups/:groupId/members/:profileId", params: who(() => people.member), verdicts: staffOnly },
	{
		route: "DELETE /api/groups/:groupId/members/:profileId",
		what: "of a moderator",
		params: who(() => people.moderator),
		verdicts: { member: "forbidden", moderator: "rank" },
	},
	{
		route: "DELETE /api/groups/:groupId/members/:profileId",
		what: "of an admin",
		params: who(() => people.admin),
		verdicts: { member: "forbidden", moderator: "rank", admin: "rank" },
	},
	{ route: "PUT /api/groups/:groupId/mute", body: () => ({}) },
	{ route: "DELETE /api/groups/:groupId/mute" },
	{ route: "GET /api/groups/:groupId/requests", verdicts: staffOnly },
	{ route: "POST /api/groups/:groupId/requests/:profileId/accept", params: who(({ asking }) => asking), verdicts: staffOnly },
	{
		route: "POST /api/groups/:groupId/requests/:profileId/accept",
		what: "that nobody made",
		params: who(({ other }) => other),
		verdicts: { member: "forbidden", moderator: "not-found", admin: "not-found" },
	},
	{ route: "POST /api/groups/:groupId/requests/:profileId/decline", params: who(({ asking }) => asking), verdicts: staffOnly },
	{ route: "GET /api/groups/:groupId/bans", verdicts: staffOnly },
	{ route: "POST /api/groups/:groupId/members/:profileId/ban", params: who(({ other }) => other), verdicts: staffOnly },
	{
		route: "POST /api/groups/:groupId/members/:profileId/ban",
		what: "of an admin",
		params: who(() => people.admin),
		verdicts: { member: "forbidden", moderator: "rank", admin: "rank" },
	},
	{ route: "POST /api/groups/:groupId/members/:profileId/unban", params: who(({ barred }) => barred), verdicts: staffOnly },
	{ route: "GET /api/groups/:groupId/invites" },
	{
		route: "POST /api/groups/:groupId/invites",
		body: ({ asking }) => ({ profileId: asking.profileId }),
		verdicts: { member: { public: "may", private: "forbidden" } },
	},
	{
		route: "POST /api/groups/:groupId/invites",
		what: "as more than one is",
		body: ({ asking }) => ({ profileId: asking.profileId, role: "admin" }),
		verdicts: { member: { public: "rank", private: "forbidden" }, moderator: "rank" },
	},
	{
		route: "POST /api/groups/:groupId/invites",
		what: "to an address, as more than one is",
		body: () => ({ email: "somebody@example.org", role: "admin" }),
		verdicts: { member: { public: "rank", private: "forbidden" }, moderator: "rank" },
	},
	{
		route: "POST /api/groups/:groupId/invites",
		what: "of who is banned",
		body: ({ barred }) => ({ profileId: barred.profileId }),
		verdicts: { member: { public: "banned", private: "forbidden" }, moderator: "banned", admin: "banned" },
	},
	{ route: "DELETE /api/groups/:groupId/invites/:inviteId", params: ({ low }) => ({ inviteId: low }), verdicts: staffOnly },
	{
		route: "DELETE /api/groups/:groupId/invites/:inviteId",
		what: "that gives more than one has",
		params: ({ high }) => ({ inviteId: high }),
		verdicts: { member: "forbidden", moderator: "rank" },
	},
	...["accept", "decline"].flatMap((word): Row[] => [
		{
			route: `POST /api/invites/:inviteId/${word}`,
			what: "somebody else's",
			params: ({ low }) => ({ inviteId: low }),
			out: "not-found",
			verdicts: nobodys,
		},
		{ route: `POST /api/invites/${word}`, what: "somebody else's", body: ({ token }) => ({ token }), out: "not-found", verdicts: nobodys },
	]),
	{ route: "GET /api/groups/:groupId/messages" },
	{ route: "POST /api/groups/:groupId/messages", body: () => ({ clientId: "x", content: "Let me in" }) },
	{ route: "GET /api/groups/:groupId/messages/:seq", params: message },
	{
		route: "PATCH /api/groups/:groupId/messages/:seq",
		what: "somebody else's",
		params: message,
		body: () => ({ content: "Not what they said" }),
		verdicts: { member: "forbidden", moderator: "forbidden" },
	},
	{ route: "DELETE /api/groups/:groupId/messages/:seq", what: "somebody else's", params: message, verdicts: staffOnly },
	{ route: "PUT /api/groups/:groupId/messages/:seq/reactions/:emoji", params: (house) => ({ ...message(house), emoji: "👍" }) },
	{ route: "DELETE /api/groups/:groupId/messages/:seq/reactions/:emoji", params: (house) => ({ ...message(house), emoji: "👍" }) },
	{ route: "GET /api/groups/:groupId/events" },
	{ route: "PUT /api/groups/:groupId/read", body: () => ({ seq: 1 }) },
	{ route: "GET /api/groups/:groupId/search", query: "?q=welcome" },
	{ route: "POST /api/groups/:groupId/messages/:seq/flag", params: message, body: () => ({ reason: "Rude" }) },
	{ route: "GET /api/groups/:groupId/flags", verdicts: staffOnly },
	...["resolve", "dismiss"].map(
		(word): Row => ({
			route: `POST /api/groups/:groupId/flags/:flagId/${word}`,
			params: ({ flag }) => ({ flagId: flag }),
			verdicts: { ...staffOnly, admin: "forbidden" },
		}),
	),
];
/** About no group that one is not in: lists of one's own, talks of two, blocks (groups-direct.test.ts), the platform's moderators (groups-flags.test.ts). */
const aboutNone = new Set([
	"GET /api/groups",
	"POST /api/groups",
	"GET /api/groups/public",
	"GET /api/invites",
	"GET /api/messages/search",
]);

const verdictOf = ({ out = OUT, verdicts = {} }: Row, role: Role, { isPublic }: House): string => {
	const verdict = verdicts[role] ?? ((outside as readonly Role[]).includes(role) ? out : "may");
	return typeof verdict === "string" ? verdict : verdict[isPublic ? "public" : "private"];
};

async function build(isPublic: boolean): Promise<House> {
	const { admin, moderator, member, requester, invited, banned } = people;
	const [other, asking, barred] = (await Promise.all(["Other", "Asking", "Barred"].map((name) => person(app.url, name)))) as [
		Person,
		Person,
		Person,
	];
	const groupId: string = is(await admin.post("/api/groups", { name: "Menders", isPublic: false }), 201).body.id;
	const at = `/api/groups/${groupId}`;
	const invite = async ({ profileId }: Person, role: string) => is(await admin.post(`${at}/invites`, { profileId, role }), 201).body;
	is(await moderator.post(`/api/invites/${(await invite(moderator, "moderator")).id}/accept`), 200);
	is(await member.post(`/api/invites/${(await invite(member, "member")).id}/accept`), 200);
	for (const one of [requester, asking]) is(await one.post(`${at}/join`), 200);
	for (const one of [banned, barred]) is(await admin.post(`${at}/members/${one.profileId}/ban`), 204);
	await invite(invited, "member");
	const low = await invite(other, "member");
	const high = is(await admin.post(`${at}/invites`, { email: "high@example.org", role: "admin" }), 201).body;
	const { seq } = is(await admin.post(`${at}/messages`, { clientId: "a", content: "Welcome" }), 201).body;
	const flag = is(await member.post(`${at}/messages/${seq}/flag`, { reason: "Rude" }), 201).body.id;
	if (isPublic) is(await admin.send("PATCH", at, { isPublic }), 200);
	return { groupId, isPublic, other, asking, barred, low: low.id, high: high.id, token: low.token, seq, flag };
}

before(async () => {
	people = Object.fromEntries(await Promise.all(roles.map(async (role) => [role, await person(app.url, role)]))) as Record<Role, Person>;
});

test("the table has a row for every route about a group", () => {
	const known = new Set(table.map(({ route }) => route));
	const about = routes
		.map(({ method, path }) => `${method} ${path}`)
		.filter((route) => !aboutNone.has(route) && !/\/(direct|blocks|admin)/.test(route));
	assert.deepEqual(
		about.filter((route) => !known.has(route)),
		[],
	);
});

for (const isPublic of [true, false]) {
	test(`in a ${isPublic ? "public" : "private"} group nobody does what their role may not, and nothing comes of trying`, async () => {
		const house = await build(isPublic);
		const look = async () => {
			const at = `/api/groups/${house.groupId}`;
			const paths = ["", "/members", "/events?limit=500", "/bans", "/requests", "/messages"];
			const seen = await Promise.all(paths.map(async (path) => is(await people.admin.get(`${at}${path}`), 200).body));
			// An invite's link shows only to its inviter, who looks here: it stays the same.
			return [...seen, is(await people.admin.get(`${at}/invites`), 200).body];
		};
		const before = await look();
		let tried = 0;
		for (const row of table) {
			const [method = "", path = ""] = row.route.split(" ");
			const params: Record<string, string | number> = { groupId: house.groupId, ...row.params?.(house) };
			for (const role of roles) {
				const verdict = verdictOf(row, role, house);
				if (verdict === "may") continue;
				tried++;
				const address = path.replace(/:(\w+)/g, (_, name: string) => String(params[name])) + (row.query ?? "");
				const reply = await people[role].send(method, address, row.body?.(house) ?? (method === "POST" ? {} : undefined));
				assert.equal(reply.body?.code, verdict, `${role}: ${row.route} ${row.what ?? ""} answered ${reply.status}`);
			}
		}
		assert.ok(tried > 150, `${tried} tried`);
		assert.deepEqual(await look(), before);
	});
}
