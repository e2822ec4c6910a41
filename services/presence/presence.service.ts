// Who is here. Doors tell of sockets that open and close; who follows whom is theirs: they hear `presence.changed`, a signal.
import { healthOf } from "../../mixins/health.ts";
import { defineService, implement } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import type { PresenceEntry } from "../contracts/presence.ts";
import { presenceNode } from "./node.ts";

export default defineService({
	name: "presence",

	actions: implement("presence", {
		health: healthOf("presence"),

		async connected(ctx) {
			const { presence, remembered, stir } = presenceNode(ctx.broker);
			const { connectionId, profileId } = ctx.params;
			const known = presence.knows(profileId) ? undefined : (await remembered([profileId])).get(profileId);
			presence.connected(connectionId, profileId, known?.hidden ?? false, new Date());
			stir();
			return {};
		},

		async disconnected(ctx) {
			const { presence, stir } = presenceNode(ctx.broker);
			presence.disconnected(ctx.params.connectionId, new Date());
			stir();
			return {};
		},

		async set(ctx) {
			const { presence, stir } = presenceNode(ctx.broker);
			if (!presence.set(ctx.params.connectionId, ctx.caller.profileId, ctx.params.status)) throw problem("not-found");
			stir();
			return {};
		},

		async lookup(ctx) {
			const { presence, remembered } = presenceNode(ctx.broker);
			const now = new Date();
			const here = new Map(ctx.params.ids.map((id) => [id, presence.look(id, now)]));
			const away = [...here].filter(([, entry]) => !entry).map(([id]) => id);
			const seen = away.length > 0 ? await remembered(away) : new Map<string, never>();
			const data = ctx.params.ids.map((profileId): PresenceEntry => {
				const row = seen.get(profileId);
				return here.get(profileId) ?? { profileId, status: "offline", lastSeen: row && !row.hidden ? row.lastSeen.toISOString() : null };
			});
			return { data };
		},
	}),

	events: {
		// A process that went away took the sockets of its door with it.
		"$node.disconnected": {
			handler(ctx: { params: { node: { id: string } } }) {
				const { presence, stir } = presenceNode(this.broker);
				presence.doorGone(`${ctx.params.node.id}|`, new Date());
				stir();
			},
		},
	},

	async stopped() {
		await presenceNode(this.broker).stop();
	},
});
