// The consumer that keeps what notifications must know of people and groups, and notifies. One for all of it: who registers is known
// before they are welcomed.
import type { ServiceBroker } from "moleculer";
import type { Consumer } from "../../../mixins/facts/index.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import type { AnyFact, Fact, FactName } from "../../contracts/index.ts";
import { ending, notifying, toOver, toWanted } from "../domain/causes.ts";
import { block, forgetGroup, mute, savePeople, saveSettings, saveTalk, talksAmong, unblock, unmute } from "../store/people.ts";
import { notify } from "./notify.ts";
import { end } from "./over.ts";

type Keepers = { [N in FactName]?: (payload: Fact<N>["payload"], tx: Tx) => Promise<void> };

/** What is kept of each fact, before anybody is notified. */
const keepers: Keepers = {
	"identity.account.registered": ({ accountId, profileId, displayName, language }, tx) =>
		savePeople(tx, [{ accountId, profileId, displayName }]).then(() => saveSettings(tx, [{ accountId, language, timeZone: null }], false)),
	"identity.account.settingsChanged": (settings, tx) => saveSettings(tx, [settings]),
	"identity.profile.created": (somebody, tx) => savePeople(tx, [somebody]),
	"identity.profile.updated": (somebody, tx) => savePeople(tx, [somebody]),
	"groups.block.added": ({ profileId, blockedId }, tx) => block(tx, profileId, blockedId),
	"groups.block.removed": ({ profileId, blockedId }, tx) => unblock(tx, profileId, blockedId),
	"groups.member.muted": ({ profileId, groupId, until }, tx) => mute(tx, profileId, groupId, until),
	"groups.member.unmuted": ({ profileId, groupId }, tx) => unmute(tx, profileId, groupId),
	"groups.member.left": ({ profileId, groupId }, tx) => unmute(tx, profileId, groupId),
	"groups.member.kicked": ({ profileId, groupId }, tx) => unmute(tx, profileId, groupId),
	"groups.direct.created": ({ groupId, profileIds }, tx) => saveTalk(tx, groupId, profileIds),
	"groups.group.deleted": ({ groupId }, tx) => forgetGroup(tx, groupId),
};

const keep = <N extends FactName>({ type, payload }: Fact<N>, tx: Tx) => keepers[type]?.(payload, tx);

/** The groups in which something was said. */
const spokenIn = (facts: readonly AnyFact[]): string[] => [
	...new Set(facts.flatMap((fact) => (fact.type === "groups.message.posted" ? [(fact.payload as { groupId: string }).groupId] : []))),
];

async function handle(facts: readonly AnyFact[], tx: Tx, broker: ServiceBroker): Promise<void> {
	for (const fact of facts) await keep(fact, tx);
	const talks = await talksAmong(tx, spokenIn(facts));
	await notify(
		tx,
		broker,
		facts.flatMap((fact) => toWanted(fact, (groupId) => talks.get(groupId))),
	);
	// What is said and taken back in one portion is told, and taken back.
	for (const fact of facts) {
		const over = toOver(fact);
		if (over) await end(tx, broker, over);
	}
}

export const notifications: Consumer = {
	facts: [...new Set([...(Object.keys(keepers) as FactName[]), ...notifying, ...ending])],
	handle: (facts, tx, { broker }) => handle(facts, tx, broker),
};
