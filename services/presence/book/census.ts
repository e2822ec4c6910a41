// Who of a group is here. A small group's members are looked up. Of a large group those who are here at all are gone through, and the
// groups node says which of them are members: what it costs follows from who is here, not from how many have ever joined; and once
// counted it serves everybody for some seconds.
import { cacheOf } from "../../../mixins/cache.ts";
import { problem } from "../../contracts/errors.ts";
import type { Ctx } from "../../contracts/index.ts";
import type { GroupPresence, PresenceEntry } from "../../contracts/presence.ts";
import { GROUP_SAMPLE, LARGE_GROUP } from "../../contracts/presence.ts";
import { seenApart } from "./apart.ts";
import type { PresenceBook } from "./book.ts";
import { Census, isHere } from "../domain/census.ts";

/** As many as `lookup` and `membersAmong` are asked for at once. */
const PORTION = 500;
/** A large group's census is good for so long (s). */
const GOOD_FOR = 5;

export type Look = (profileIds: readonly string[]) => Promise<PresenceEntry[]>;
type Counts = NonNullable<GroupPresence["counts"]>;
type Counted = ReturnType<Census["result"]>;
type AnyCtx = Ctx<unknown>;

/** Censuses of large groups under way in this process: who asks for the same gets the same. */
const underWay = new WeakMap<PresenceBook, Map<string, Promise<Counted>>>();

/** What a census is made of. */
interface Sources {
	book: PresenceBook;
	/** How others see these profiles, in the order asked. */
	look: Look;
	/** Whom somebody does not see, and who does not see them. */
	apartFrom(profileId: string): Promise<ReadonlySet<string>>;
}

/** @throws 404 or 403 `not-member` as the group itself says it */
export async function presenceOf(ctx: AnyCtx, groupId: string, { book, look, apartFrom }: Sources): Promise<GroupPresence> {
	const me = ctx.caller.profileId;
	const [{ profileIds, memberCount }, apart] = await Promise.all([ctx.call("groups.memberIds", { groupId }), apartFrom(me)]);
	if (memberCount <= LARGE_GROUP) {
		const lookAround: Look = async (ids) => seenApart(await look(ids), apart);
		return { groupId, memberCount, sample: false, ...(await smallCensus(profileIds, memberCount, lookAround)) };
	}
	const { counts, online } = await largeCensus(ctx, groupId, memberCount, book, look);
	if (!counts) return { groupId, memberCount, counts, online, sample: true };
	// The sample is everybody's; the caller stands in it by themselves, and who is apart from them does not.
	const [own] = await look([me]);
	const others = online.filter(({ profileId }) => profileId !== me && !apart.has(profileId));
	const named = own && isHere(own) ? [own, ...others] : others;
	const hidden = await hereAmong(ctx, groupId, [...apart], book);
	return { groupId, memberCount, counts: less(counts, hidden), online: named.slice(0, GROUP_SAMPLE), sample: true };
}

/** Members among these that are here: few, mostly none. */
async function hereAmong(ctx: AnyCtx, groupId: string, profileIds: readonly string[], book: PresenceBook): Promise<PresenceEntry[]> {
	const found: PresenceEntry[] = [];
	for (let from = 0; from < profileIds.length; from += PORTION) {
		const here = (await book.look(profileIds.slice(from, from + PORTION))).values().filter(isHere).toArray();
		if (here.length === 0) continue;
		const among = await ctx.call("groups.membersAmong", { groupId, profileIds: here.map(({ profileId }) => profileId) });
		const members = new Set(among.profileIds);
		found.push(...here.filter(({ profileId }) => members.has(profileId)));
	}
	return found;
}

/** The counts as if these were offline. */
function less(counts: Counts, entries: readonly PresenceEntry[]): Counts {
	// Of counts that are some seconds old they may be missing.
	const hidden = (status: "online" | "away") => Math.min(counts[status], entries.filter((entry) => entry.status === status).length);
	const [online, away] = [hidden("online"), hidden("away")];
	return { online: counts.online - online, away: counts.away - away, offline: counts.offline + online + away };
}

async function smallCensus(members: readonly string[], memberCount: number, look: Look): Promise<Counted> {
	const census = new Census(LARGE_GROUP);
	for (let from = 0; from < members.length; from += PORTION) census.add(await look(members.slice(from, from + PORTION)));
	return census.result(memberCount);
}

async function largeCensus(ctx: AnyCtx, groupId: string, memberCount: number, book: PresenceBook, look: Look): Promise<Counted> {
	const cache = cacheOf(ctx.broker);
	const name = `presence:group:${groupId}`;
	const kept = (await cache.get(name)) as Counted | undefined;
	if (kept) return kept;
	const running = underWay.get(book) ?? new Map<string, Promise<Counted>>();
	underWay.set(book, running);
	let counting = running.get(groupId);
	if (!counting) {
		counting = count(ctx, groupId, memberCount, book, look).finally(() => running.delete(groupId));
		running.set(groupId, counting);
	}
	const counted = await counting;
	if (counted.counts) await cache.set(name, counted, GOOD_FOR);
	return counted;
}

async function count(ctx: AnyCtx, groupId: string, memberCount: number, book: PresenceBook, look: Look): Promise<Counted> {
	const census = new Census(GROUP_SAMPLE);
	let after: string | null = null;
	do {
		let here: string[];
		try {
			here = await book.here(after, PORTION);
		} catch {
			return { counts: null, online: [] };
		}
		after = here.length === PORTION ? (here.at(-1) as string) : null;
		if (here.length === 0) break;
		if (performance.now() >= ctx.deadline) throw problem("unavailable");
		const { profileIds } = await ctx.call("groups.membersAmong", { groupId, profileIds: here });
		if (profileIds.length > 0) census.add(await look(profileIds));
	} while (after !== null);
	return census.result(memberCount);
}
