// Random people do random things in a group, and it is always what a model of a few lines says: what each is answered, the log, the
// messages as they are now, who has read how much, and what is found.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { isProblem } from "../../services/contracts/errors.ts";
import type { Meta } from "../../services/contracts/index.ts";
import type { LogEvent } from "../../services/contracts/rooms.ts";
import { GroupModel } from "../support/group-model.ts";
import { callAction, testApp } from "../support/kit.ts";
import { sealedPrincipal } from "../support/principal.ts";

const app = await testApp();
const NAMES = ["Ana", "Ben", "Cem", "Dia"];
const people = NAMES.map((displayName) => {
	const profileId = randomUUID();
	const principal = sealedPrincipal(app.broker, {
		accountId: randomUUID(),
		profileId,
		sessionId: randomUUID(),
		displayName,
		roles: [],
		scopes: [],
	});
	return { profileId, as: { meta: { principal } satisfies Meta } };
});
const numberOf = new Map<string, number>(people.map(({ profileId }, number) => [profileId, number]));
const id = (who: number): string => people[who]?.profileId ?? "";
const as = (who: number) => people[who]?.as ?? { meta: {} };
const { broker } = app;

/** What a refusal says. */
const codeOf = (error: unknown): string => {
	if (isProblem(error)) return error.type;
	throw error;
};
const answered = <R, A>(answer: Promise<R>, view: (answer: R) => A): Promise<A | string> => answer.then(view, codeOf);

/** The same commands as the model's, done by the service. */
class Group {
	readonly groupId: string;
	constructor(groupId: string) {
		this.groupId = groupId;
	}
	post(who: number, clientId: string, content: string, replyTo: number | null, mention: number | null) {
		const more = { ...(replyTo !== null && { replyTo }), ...(mention !== null && { mentions: [id(mention)] }) };
		const said = callAction(broker, "messages.post", { groupId: this.groupId, clientId, content, ...more }, as(who));
		return answered(said, ({ seq, replayed }) => ({ seq, replayed }));
	}
	edit(who: number, seq: number, content: string) {
		return answered(callAction(broker, "messages.edit", { groupId: this.groupId, seq, content }, as(who)), ({ eventSeq }) => eventSeq);
	}
	remove(who: number, target: number) {
		return answered(callAction(broker, "messages.remove", { groupId: this.groupId, seq: target }, as(who)), ({ seq }) => seq);
	}
	react(who: number, target: number, emoji: string, add: boolean) {
		const params = { groupId: this.groupId, seq: target, emoji, remove: !add };
		return answered(callAction(broker, "messages.react", params, as(who)), ({ seq }) => seq);
	}
	read(who: number, seq: number) {
		return answered(callAction(broker, "messages.read", { groupId: this.groupId, seq }, as(who)), (state) => ({
			seq: state.seq,
			unread: state.unread,
		}));
	}
	join(who: number) {
		return answered(callAction(broker, "groups.join", { groupId: this.groupId }, as(who)), ({ state }) => state);
	}
	leave(who: number) {
		return answered(callAction(broker, "groups.leave", { groupId: this.groupId }, as(who)), () => "left");
	}
	kick(who: number, other: number) {
		return answered(callAction(broker, "groups.kick", { groupId: this.groupId, profileId: id(other) }, as(who)), () => "kicked");
	}
	promote(who: number, other: number) {
		const params = { groupId: this.groupId, profileId: id(other), role: "moderator" } as const;
		return answered(callAction(broker, "groups.setRole", params, as(who)), ({ role }) => role);
	}
}
type Deed = Exclude<keyof Group, "groupId">;

/** One command: both do it, and must answer the same. */
class Do implements fc.AsyncCommand<GroupModel, Group> {
	readonly deed: Deed;
	readonly args: unknown[];
	constructor(deed: Deed, args: unknown[]) {
		this.deed = deed;
		this.args = args;
	}
	check = () => true;
	toString = () => `${this.deed}(${JSON.stringify(this.args).slice(1, -1)})`;
	async run(model: GroupModel, group: Group): Promise<void> {
		// Both have the same methods, and the arguments are made for the one that is named: the compiler cannot follow.
		const [expected, actual] = [model, group].map((one) => (one[this.deed] as (...args: unknown[]) => unknown).apply(one, this.args));
		assert.deepEqual(await actual, expected, String(this));
	}
}

const who = fc.nat(NAMES.length - 1);
const guest = fc.integer({ min: 1, max: NAMES.length - 1 });
const place = fc.integer({ min: 1, max: 25 });
const text = fc.constantFrom("needle", "thread and needle", "button", "صوف needle", "修理");
const emoji = fc.constantFrom("👍", "❤️", "🇵🇹");
const sometimes = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 3 });
const a = (deed: Deed, ...args: fc.Arbitrary<unknown>[]) => fc.tuple(...args).map((values) => new Do(deed, values));
const clientId = fc.oneof({ weight: 9, arbitrary: fc.uuid() }, { weight: 1, arbitrary: fc.constantFrom("again", "and again") });
const post = a("post", who, clientId, text, sometimes(place), sometimes(who));
const commands = [
	...[post, post, post, a("join", guest), a("join", guest)],
	...[
		a("edit", who, place, text),
		a("remove", who, place),
		a("react", who, place, emoji, fc.boolean()),
		a("react", who, place, emoji, fc.boolean()),
	],
	...[a("read", who, place), a("leave", guest), a("kick", who, who), a("promote", who, who)],
];

type Shown = { seq: number; by: number | undefined; content: string | null; reactions: [string, number[]][] };
const byEmoji = (reactions: Iterable<[string, Iterable<number>]>): Shown["reactions"] =>
	[...reactions].map(([one, whose]): [string, number[]] => [one, [...whose].sort()]).sort();

/** What a client makes of the log alone. */
function folded(events: readonly LogEvent[]): Shown[] {
	const messages = new Map<number, { by: number | undefined; content: string | null; reactions: Map<string, Set<number>> }>();
	for (const event of events) {
		const { seq, type, target = 0, content = null, emoji: one = "", profileId = "", added } = event;
		const known = messages.get(target);
		const whose = numberOf.get(type === "reacted" ? profileId : (event.by?.profileId ?? "")) ?? -1;
		const said = event.message as { content: string | null } | undefined;
		if (type === "message" && said) messages.set(seq, { by: whose, content: said.content, reactions: new Map() });
		else if (type === "edited" && known) known.content = content;
		else if (type === "deleted" && known) Object.assign(known, { content: null, reactions: new Map() });
		else if (type === "reacted" && known) {
			const people = known.reactions.get(one) ?? new Set();
			if (added) people.add(whose);
			else people.delete(whose);
			if (people.size > 0) known.reactions.set(one, people);
			else known.reactions.delete(one);
		}
	}
	return [...messages].map(([seq, { reactions, ...message }]) => ({ seq, ...message, reactions: byEmoji(reactions) }));
}

async function check(model: GroupModel, { groupId }: Group): Promise<void> {
	const head = model.log.length;
	const { data: events, head: told } = await callAction(broker, "messages.events", { groupId, limit: 500 }, as(0));
	assert.equal(told, head);
	assert.deepEqual(
		events.map(({ seq, type }) => [seq, type]),
		model.log.map((type, at) => [at + 1, type]),
		"the log is gapless, and has what was done",
	);
	const expected: Shown[] = [...model.said].map(([seq, { by, content, reactions }]) => ({
		seq,
		by,
		content,
		reactions: byEmoji(reactions),
	}));
	assert.deepEqual(folded(events), expected, "the log alone says how it is");
	for (const after of [0, Math.floor(head / 2), head]) {
		const opened = await callAction(broker, "messages.openRoom", { key: groupId, after, limit: 500 }, as(0));
		assert.deepEqual([opened.head, opened.events], [head, events.slice(after)], "so does whoever resumes");
	}
	for (const someone of model.members()) {
		const { data } = await callAction(broker, "messages.page", { groupId, limit: 100 }, as(someone));
		assert.deepEqual(
			data.map(({ seq, by, content, reactions, deletedAt }) => [
				...[seq, numberOf.get(by.profileId), content, deletedAt !== undefined],
				reactions.map((one) => [one.emoji, one.count, one.mine]).sort(),
			]),
			expected.map(({ seq, by, content, reactions }) => [
				...[seq, by, content, content === null],
				reactions.map(([one, whose]) => [one, whose.length, whose.includes(someone)]),
			]),
			"so do its messages",
		);
		const unread = model.unread(someone);
		assert.equal((await callAction(broker, "groups.show", { groupId }, as(someone))).unread, unread, `unread by ${NAMES[someone]}`);
		const listed = (await callAction(broker, "groups.mine", { limit: 100 }, as(someone))).data.find((group) => group.id === groupId);
		assert.deepEqual([listed?.unread, listed?.head, listed?.memberCount], [unread, head, model.members().length], "and in the list");
		const { data: found } = await callAction(broker, "messageSearch.inGroup", { groupId, q: "needle", limit: 100 }, as(someone));
		const fits = expected.filter(({ content }) => content?.includes("needle"));
		assert.deepEqual(
			found.map(({ seq, content }) => [seq, content]),
			fits.map(({ seq, content }) => [seq, content]).reverse(),
			"what is found is what is said",
		);
	}
}

test("whatever anybody does in a group, it is as a model of a few lines says", async () => {
	await fc.assert(
		fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: "max" }), async (todo) => {
			const { id: groupId } = await callAction(broker, "groups.create", { name: "Model", isPublic: true }, as(0));
			const setup = () => ({ model: new GroupModel(), real: new Group(groupId) });
			const both = setup();
			await fc.asyncModelRun(() => both, todo);
			await check(both.model, both.real);
			await callAction(broker, "groups.remove", { groupId }, as(0));
		}),
		{ numRuns: 40, endOnFailure: false },
	);
});
