// Transactions in MongoDB that nobody will end: their process was killed, or hangs, between two statements. The server keeps them
// for a minute, and what they wrote is in everybody's way so long; whoever runs into one ends it.

interface Admin {
	command(command: object): Promise<object>;
}

/** Ours are committed within milliseconds: one that has done nothing for so long (ms) has been left, or its owner is no longer the owner. */
const LEFT_FOR_MS = 1_000;

interface Open {
	lsid?: { id: unknown };
}

/** Ends the transactions of our own login that nobody goes on with; answers how many. It needs no privilege: one may always end one's own. */
export async function endAbandoned(admin: Admin): Promise<number> {
	const left = { type: "idleSession", "transaction.timeInactiveMicros": { $gt: LEFT_FOR_MS * 1_000 } };
	const pipeline = [{ $currentOp: { idleSessions: true, allUsers: false } }, { $match: left }, { $project: { lsid: 1 } }];
	const { cursor } = (await admin.command({ aggregate: 1, pipeline, cursor: {} })) as { cursor: { firstBatch: Open[] } };
	const sessions = cursor.firstBatch.flatMap(({ lsid }) => (lsid ? [{ id: lsid.id }] : []));
	if (sessions.length > 0) await admin.command({ killSessions: sessions });
	return sessions.length;
}
