// Who sees nothing of whom, because one of them has blocked the other: each is to the other as who hides. Groups know it at once, and
// are asked; while they do not answer, what their facts have said until then counts.
import type { ServiceBroker } from "moleculer";
import { callAction } from "../../../mixins/call.ts";
import type { Db } from "../../../mixins/postgres.ts";
import type { PresenceEntry } from "../../contracts/presence.ts";
import { apartFrom } from "../store/people.ts";

/** Groups have so long (ms) to answer. */
const PATIENCE = 700;

/** From whom each of these profiles is apart. */
export async function apartOf(
	broker: ServiceBroker,
	db: Pick<Db, "query">,
	profileIds: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
	try {
		const { apart } = await callAction(broker, "blocks.apart", { profileIds: [...profileIds] }, { timeout: PATIENCE });
		return new Map(profileIds.map((id, at) => [id, new Set(apart[at])]));
	} catch (error) {
		broker.logger.debug("Who is apart from whom could not be asked; what is known here counts.", { error: String(error) });
		return apartFrom(db, profileIds);
	}
}

/** How somebody who is apart from these sees all of them. While nobody is known, they are not known either. */
export const seenApart = (entries: readonly PresenceEntry[], apart: Pick<ReadonlySet<string>, "has">): PresenceEntry[] =>
	entries.map((entry) =>
		apart.has(entry.profileId) && entry.status !== "unknown" ? { profileId: entry.profileId, status: "offline", lastSeen: null } : entry,
	);
