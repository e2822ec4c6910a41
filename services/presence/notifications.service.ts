// A profile's own room, `profile:<id>`: a numbered log, open to that profile alone; and its inbox, which tells itself in that room.
import { decodeCursor, once, pageOf, service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import { channelsOf } from "./domain/kinds.ts";
import { presenceNode } from "./node.ts";
import { takeAway } from "./notify/over.ts";
import { callOff, preferencesOf, savePreferences } from "./notify/preferences.ts";
import { seen, seeWhatWasRead } from "./notify/seen.ts";
import { readToken } from "./notify/unsubscribe.ts";
import { goneAmong, lockRooms } from "./store/seen.ts";
import { countUnread, holdOwn, inboxOf, view } from "./store/notifications.ts";
import { mannersOf } from "./store/people.ts";

export default service("notifications", {
	node: presenceNode,

	actions: {
		async heads(ctx, node) {
			const known = await node.carrier.heads(ctx.params.keys);
			return { heads: ctx.params.keys.map((key) => known.get(key) ?? 0) };
		},

		async openRoom(ctx, { headOf, log }) {
			const { key, after, limit } = ctx.params;
			if (key !== ctx.caller.profileId) throw problem("not-found");
			const head = await headOf(key);
			if (after !== undefined && after > head) throw problem("seq-ahead", { head });
			return log.opened(key, head, after, limit);
		},

		async list(ctx, { db }) {
			const { limit, cursor, unread } = ctx.params;
			const { profileId } = ctx.caller;
			const [before] = decodeCursor(cursor, ["number"]) ?? [null];
			await seeWhatWasRead(ctx.broker, profileId);
			const rows = await inboxOf(db, profileId, unread, before === null ? null : Number(before), limit + 1);
			return pageOf(rows, limit, ({ seq }) => [seq], view);
		},

		async unreadCount(ctx, { db }) {
			await seeWhatWasRead(ctx.broker, ctx.caller.profileId);
			return { count: await countUnread(db, ctx.caller.profileId) };
		},

		read: (ctx, { db }) =>
			db.tx(async (tx) => {
				const { profileId } = ctx.caller;
				await lockRooms(tx, [profileId]);
				await seen(tx, ctx.broker, profileId, [ctx.params.notificationId]);
				const row = await holdOwn(tx, ctx.params.notificationId, profileId);
				if (!row) throw problem("not-found");
				return view(row);
			}),

		readAll: (ctx, { db }) =>
			once(ctx, db, async (tx) => {
				const read = await seen(tx, ctx.broker, ctx.caller.profileId, null);
				return { read, count: await countUnread(tx, ctx.caller.profileId) };
			}),

		remove: (ctx, { db }) =>
			db.tx(async (tx) => {
				const { profileId } = ctx.caller;
				await lockRooms(tx, [profileId]);
				const row = await holdOwn(tx, ctx.params.notificationId, profileId);
				if (!row) throw problem("not-found");
				await takeAway(tx, ctx.broker, [row]);
				return {};
			}),

		preferences: (ctx, { db }) => db.tx((tx) => preferencesOf(tx, ctx.caller.profileId, new Date())),

		savePreferences: (ctx, { db }) =>
			db.tx(async (tx) => {
				const now = new Date();
				await savePreferences(tx, ctx.caller.profileId, ctx.params, now);
				return preferencesOf(tx, ctx.caller.profileId, now);
			}),

		async subscription(ctx, { db }) {
			const { profileId, kinds } = readToken(ctx.broker, ctx.params.token);
			const [manner] = (await mannersOf(db, [profileId])).values();
			return { kinds, email: kinds.some((kind) => channelsOf(kind, manner?.wishes ?? {}).email) };
		},

		unsubscribe(ctx, { db }) {
			const { profileId, kinds } = readToken(ctx.broker, ctx.params.token);
			return once(ctx, db, async (tx) => {
				// Of who is gone nothing is kept, and nothing is mailed either.
				if (!(await goneAmong(tx, [profileId])).has(profileId)) await callOff(tx, profileId, kinds);
				return { kinds, email: false };
			});
		},
	},
});
