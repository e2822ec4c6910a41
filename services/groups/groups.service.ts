// Groups and their members.
import { newId } from "../../mixins/id.ts";
import { decodeCursor, pageOf } from "../../mixins/cursor.ts";
import { factsOf } from "../../mixins/facts/index.ts";
import { healthOf } from "../../mixins/health.ts";
import { defineService, implement } from "../../mixins/node.ts";
import type { Group } from "../contracts/groups.ts";
import type { Context, Service } from "moleculer";
import { GROUP_WRITTEN, groupsNode } from "./actors.ts";
import { command, unreadOf } from "./command.ts";
import { create, edit, join, kick, leave, remove, setRole } from "./domain/decisions.ts";
import { asMember, evolve, viewGroup, visible } from "./domain/group.ts";
import type { ListedGroup } from "./store.ts";

const viewListed = ({ creatorId: _creator, ...group }: ListedGroup): Group => ({ ...group, createdAt: group.createdAt.toISOString() });

export default defineService({
	name: "groups",
	mixins: [factsOf("groups")],

	events: {
		[GROUP_WRITTEN](this: Service, ctx: Context<{ groupId: string }>) {
			if (ctx.nodeID !== this.broker.nodeID) groupsNode(this.broker).forget(ctx.params.groupId);
		},
	},

	// The log's own connection, where it has one, is made with the services.
	created() {
		groupsNode(this.broker);
	},

	started() {
		return groupsNode(this.broker).checkLog();
	},

	actions: implement("groups", {
		async health(ctx) {
			const { logIsHealthy } = groupsNode(ctx.broker);
			const [{ status, checks }, log] = await Promise.all([healthOf("groups")(), logIsHealthy?.()]);
			if (log === undefined) return { status, checks };
			return { status: log ? status : "down", checks: { ...checks, log: { status: log ? "ok" : "down" } } };
		},

		async create(ctx) {
			const groupId = newId();
			const { name, description, isPublic } = ctx.params;
			const { profileId } = ctx.caller;
			return command(groupsNode(ctx.broker), ctx, groupId, (state, moment) => {
				const decision = create(state, groupId, moment, { name, description, isPublic });
				const made = decision.events.reduce<ReturnType<typeof evolve>>((group, event) => evolve(group, groupId, 1, event), null);
				return { ...decision, answer: () => viewGroup(visible(made, profileId), profileId, 0) };
			});
		},

		async mine(ctx) {
			const { limit, cursor } = ctx.params;
			const [before] = decodeCursor(cursor, ["uuid"]) ?? [null];
			const rows = await groupsNode(ctx.broker).reads.groupsOf(ctx.caller.profileId, before, limit + 1);
			return pageOf(rows, limit, (row) => [row.id], viewListed);
		},

		async public(ctx) {
			const { limit, cursor } = ctx.params;
			const [before] = decodeCursor(cursor, ["uuid"]) ?? [null];
			const rows = await groupsNode(ctx.broker).reads.publicGroups(ctx.caller.profileId, before, limit + 1);
			return pageOf(rows, limit, (row) => [row.id], viewListed);
		},

		async show(ctx) {
			const node = groupsNode(ctx.broker);
			const { profileId } = ctx.caller;
			const group = visible(await node.actors.read(ctx.params.groupId), profileId);
			return viewGroup(group, profileId, await unreadOf(node, group, profileId));
		},

		async edit(ctx) {
			const node = groupsNode(ctx.broker);
			const { groupId, ...change } = ctx.params;
			await command(node, ctx, groupId, (state, moment) => edit(state, moment, change));
			const group = visible(await node.actors.read(groupId), ctx.caller.profileId);
			return viewGroup(group, ctx.caller.profileId, await unreadOf(node, group, ctx.caller.profileId));
		},

		async remove(ctx) {
			return command(groupsNode(ctx.broker), ctx, ctx.params.groupId, (state, moment) => remove(state, moment));
		},

		async join(ctx) {
			return command(groupsNode(ctx.broker), ctx, ctx.params.groupId, (state, moment) => join(state, moment));
		},

		async leave(ctx) {
			return command(groupsNode(ctx.broker), ctx, ctx.params.groupId, (state, moment) => leave(state, moment, ctx.params.successorId));
		},

		async members(ctx) {
			const { groupId, limit, cursor } = ctx.params;
			const [seq, id] = decodeCursor(cursor, ["number", "uuid"]) ?? ["0", ""];
			const { group } = asMember(await groupsNode(ctx.broker).actors.read(groupId), ctx.caller.profileId);
			const rest = [...group.members].filter(
				([profileId, member]) => member.joinedSeq > Number(seq) || (member.joinedSeq === Number(seq) && profileId > id),
			);
			return pageOf(
				rest.slice(0, limit + 1),
				limit,
				([profileId, member]) => [member.joinedSeq, profileId],
				([profileId, { displayName, role, joinedAt }]) => ({ profileId, displayName, role, joinedAt }),
			);
		},

		async memberIds(ctx) {
			const { profileId } = ctx.caller;
			const { group } = asMember(await groupsNode(ctx.broker).actors.read(ctx.params.groupId), profileId);
			return { profileIds: [...new Set([profileId, ...group.members.keys()])].slice(0, 1000) };
		},

		async setRole(ctx) {
			const { groupId, profileId, role } = ctx.params;
			return command(groupsNode(ctx.broker), ctx, groupId, (state, moment) => setRole(state, moment, profileId, role));
		},

		async kick(ctx) {
			const { groupId, profileId } = ctx.params;
			return command(groupsNode(ctx.broker), ctx, groupId, (state, moment) => kick(state, moment, profileId));
		},
	}),
});
