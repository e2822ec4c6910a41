// What a decision or a question must know of members who are not in memory (domain/roster.ts), read from the store.
import type { Db } from "../../../mixins/postgres.ts";
import type { GroupState } from "../domain/group.ts";
import { NotKnown } from "../domain/roster.ts";
import { eldestBeside, membersAmong } from "../store/members.ts";

/** The group, when all of these are known in it. */
export async function known<S extends GroupState | null>(db: Db, group: S, profileIds: Iterable<string>): Promise<S> {
	if (!group) return group;
	const { members } = group;
	for (let missing = members.unknown(profileIds); missing.length > 0; missing = members.unknown(profileIds)) {
		const { generation } = members;
		members.learn(missing, await membersAmong(db, group.id, missing), generation);
	}
	return group;
}

/** Does a piece of work on a group; where it asks for somebody who is not in memory, they are read and it is done again. */
export function knowing<R>(db: Db, group: GroupState | null, work: () => R | Promise<R>): R | Promise<R> {
	const learn = async (error: unknown): Promise<R> => {
		if (!(error instanceof NotKnown) || !group) throw error;
		await known(db, group, error.profileIds);
		if (error.eldestBeside !== undefined) {
			const eldest = await eldestBeside(db, group.id, error.eldestBeside);
			if (!eldest) throw new Error("A group with several members has only one.");
			group.members.learnEldest(error.eldestBeside, eldest);
		}
		return knowing(db, group, work);
	};
	try {
		const made = work();
		return made instanceof Promise ? made.catch(learn) : made;
	} catch (error) {
		return learn(error);
	}
}
