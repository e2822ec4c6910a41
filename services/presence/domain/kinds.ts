// ONE table of how much each kind of notification matters: by which channels people are told of it unless they say otherwise, and how
// long it may stay unseen. In the inbox it is at once; whoever has not seen it after `push` seconds gets a push, after `mail` seconds it
// is in a mail. Null: never. A later kind is a row here already; what tells of it is a row of causes.ts.
import type { Channels, Kind, Preferences } from "../../contracts/notifications.ts";
import { kind } from "../../contracts/notifications.ts";

export interface Ladder {
	/** Seconds after it was told. */
	push: number | null;
	mail: number | null;
}

const MINUTE = 60;
/** Something is expected of the person, or somebody speaks to them. */
const personal: Ladder = { push: 10, mail: 15 * MINUTE };
/** Good to know. */
const news: Ladder = { push: 30, mail: 60 * MINUTE };
/** A mail for each would be a nuisance. */
const small: Ladder = { push: 30, mail: null };
/** Who sees it is here anyway. */
const quiet: Ladder = { push: null, mail: null };

export const ladders: { readonly [K in Kind]: Ladder } = {
	welcome: quiet,
	verification: quiet,
	invite: personal,
	mention: personal,
	reply: personal,
	message: { push: 10, mail: 30 * MINUTE },
	loan: personal,
	order: { push: 10, mail: 5 * MINUTE },
	points: small,
	level: small,
	achievement: small,
	coupon: news,
	report: news,
	lowStock: news,
	system: personal,
};

/** What holds until somebody says otherwise: every channel that the kind has. */
export const defaultChannels = (name: Kind): Channels => ({
	inApp: true,
	email: ladders[name].mail !== null,
	push: ladders[name].push !== null,
});

/** What somebody has said, of each kind at most. */
export type Wishes = { readonly [K in Kind]?: Partial<Channels> };

export const channelsOf = (name: Kind, wishes: Wishes): Channels => ({ ...defaultChannels(name), ...wishes[name] });

export const allChannels = (wishes: Wishes): Preferences["kinds"] =>
	Object.fromEntries(kind.values.map((name) => [name, channelsOf(name, wishes)])) as Preferences["kinds"];

/** One more word of somebody: what it does not name stays as it was. */
export function wished(before: Wishes, said: Wishes): Wishes {
	const after: Record<string, Partial<Channels>> = { ...before };
	for (const name of kind.values) if (said[name]) after[name] = { ...before[name], ...said[name] };
	return after as Wishes;
}

export type Step = "push" | "mail";

/** The step after `done` (null: it was just told), and when, in ms since 1970. Undefined where nothing more happens. */
export function nextStep(
	name: Kind,
	channels: Channels,
	{ done, devices, toldAt, now }: { done: Step | null; devices: boolean; toldAt: number; now: number },
): { step: Step; at: number } | undefined {
	const { push, mail } = ladders[name];
	const after = (seconds: number) => Math.max(now, toldAt + seconds * 1000);
	if (done === null && push !== null && channels.push && devices) return { step: "push", at: after(push) };
	if (done !== "mail" && mail !== null && channels.email) return { step: "mail", at: after(mail) };
	return undefined;
}
