// What of the facts of other nodes goes into a profile's own room, and as what: one row for each fact.
import type { AnyFact, Fact, FactName, FactPayload } from "../../contracts/index.ts";
import type { NoticeBody } from "../../contracts/rooms.ts";

/** One event for the room of one profile, as its fact means it. */
type Meant = { profileId: string } & NoticeBody;
/** The same with its place in time. `id` is the fact's: the same cause is the same event. */
export type Notice = Meant & { id: string; at: string };

const table: { [N in FactName]?: (payload: FactPayload<N>) => Meant | undefined } = {
	"gamification.points.awarded": ({ profileId, currency, amount, reason, source, total }) =>
		currency === "xp" ? { profileId, type: "xp", body: { amount, reason, source, total } } : undefined,
	"gamification.level.reached": ({ profileId, level, previous }) => ({ profileId, type: "level", body: { level, previous } }),
};

/** The facts `toNotice` knows. */
export const noticed = Object.keys(table) as FactName[];

const meantBy = <N extends FactName>({ type, payload }: Fact<N>): Meant | undefined => table[type]?.(payload);

/** Undefined where the profile is not told. */
export function toNotice(fact: AnyFact): Notice | undefined {
	const meant = meantBy(fact);
	return meant && { ...meant, id: fact.id, at: fact.at };
}
