// The presence engine against a model of a few lines: whatever sockets do, in whatever order, and whenever it is asked.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PresenceEntry } from "../../services/contracts/presence.ts";
import { GRACE, Presence } from "../../services/presence/domain/presence.ts";
import type { Said } from "../../services/presence/domain/presence.ts";

const PEOPLE = ["ana", "ben", "carol"] as const;
const socket = fc.record({ person: fc.constantFrom(...PEOPLE), number: fc.integer({ min: 0, max: 2 }) });
const deed = fc.oneof(
	socket.map((which) => ({ kind: "open" as const, ...which })),
	socket.map((which) => ({ kind: "close" as const, ...which })),
	fc.tuple(socket, fc.constantFrom<Said>("online", "away", "hidden")).map(([which, said]) => ({ kind: "say" as const, said, ...which })),
	fc.integer({ min: 1, max: 2 * GRACE }).map((ms) => ({ kind: "wait" as const, ms })),
	fc.constant({ kind: "tell" as const }),
);

/** What one person is, said in the plainest way. */
class Model {
	readonly sockets = new Set<number>();
	said: Said = "online";
	leftAt: number | undefined;

	/** Gone for good: what was said ends with it, but for hiding. */
	settle(now: number): void {
		if (this.leftAt === undefined || now < this.leftAt + GRACE) return;
		if (this.said === "away") this.said = "online";
	}

	status(now: number): PresenceEntry["status"] {
		const gone = this.sockets.size === 0 && (this.leftAt === undefined || now >= this.leftAt + GRACE);
		return gone || this.said === "hidden" ? "offline" : this.said;
	}
}

test("what is seen is what the model says; who only heard the news knows the same; what is due is not forgotten", () => {
	fc.assert(
		fc.property(fc.array(deed, { maxLength: 60, size: "max" }), (deeds) => {
			const presence = new Presence();
			const models = new Map(PEOPLE.map((person) => [person as string, new Model()]));
			/** Whether they hide, as the store remembers it. */
			const remembered = new Map<string, boolean>();
			/** What a follower has been told. */
			const heard = new Map<string, PresenceEntry["status"]>();
			/** What somebody knows who follows as well, and asked just before a client said how it is. */
			const asked = new Map<string, PresenceEntry["status"]>();
			let now = 1_000_000;
			const tell = (): void => {
				const { changed, seen } = presence.news(new Date(now));
				for (const { profileId, status } of changed) {
					const known = [heard.get(profileId) ?? "offline", asked.get(profileId) ?? status];
					assert.ok(
						known.some((before) => before !== status),
						"news is news to somebody",
					);
					heard.set(profileId, status);
					asked.set(profileId, status);
				}
				for (const { profileId, hidden } of seen) remembered.set(profileId, hidden);
				assert.equal(new Set(changed.map(({ profileId }) => profileId)).size, changed.length, "each once");
			};
			for (const step of deeds) {
				if (step.kind === "wait") now += step.ms;
				for (const model of models.values()) model.settle(now);
				if (step.kind === "wait") continue;
				if (step.kind === "tell") {
					tell();
					continue;
				}
				const { person, number } = step;
				const model = models.get(person) as Model;
				const name = `${person} ${number}`;
				if (step.kind === "open") {
					// The store is asked only about strangers: what it says of others may be old.
					presence.connected(name, person, !presence.knows(person) && (remembered.get(person) ?? false), new Date(now));
					model.sockets.add(number);
					model.leftAt = undefined;
				} else if (step.kind === "close") {
					presence.disconnected(name, new Date(now));
					if (model.sockets.delete(number) && model.sockets.size === 0) model.leftAt = now;
				} else {
					const mine = model.sockets.has(number);
					if (mine && step.said !== model.said) asked.set(person, model.status(now));
					assert.equal(presence.set(name, person, step.said), mine);
					if (mine) model.said = step.said;
				}
				for (const [id, { sockets }] of models)
					if (sockets.size > 0) assert.equal(presence.look(id, new Date(now))?.status, models.get(id)?.status(now));
			}
			// Whenever it says that it is due it is asked, until nothing is: then followers know how everybody is.
			tell();
			for (let due = presence.nextDue(); due !== undefined; due = presence.nextDue()) {
				assert.ok(due >= now - GRACE && due <= now + GRACE);
				now = Math.max(now, due);
				tell();
			}
			for (const [person, model] of models) {
				assert.equal(heard.get(person) ?? "offline", model.status(now), person);
				assert.equal(asked.get(person) ?? "offline", model.status(now), person);
				assert.equal(presence.look(person, new Date(now))?.status ?? "offline", model.status(now), person);
			}
			assert.equal(presence.size, [...models.values()].filter(({ sockets }) => sockets.size > 0).length, "nobody who is gone is kept");
			assert.deepEqual(
				presence.here(null, 10),
				PEOPLE.filter((person) => (models.get(person)?.sockets.size ?? 0) > 0),
			);
		}),
		{ numRuns: 5_000 },
	);
});
