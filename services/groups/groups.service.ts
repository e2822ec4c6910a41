// Groups and their members.
import { decodeCursor, newId, pageById, pageOf, service } from "../../mixins/node.ts";
import { healthOf } from "../../mixins/health.ts";
import { groupsNode } from "./actors.ts";
import { command, commandBy, unreadOf } from "./command.ts";
import { depart } from "./domain/depart.ts";
import { create, edit, remove } from "./domain/life.ts";
import { join, kick, leave, setRole } from "./domain/members.ts";
import { asMember, evolve, viewGroup, visible } from "./domain/group.ts";
import { people } from "./people.ts";
import { persons } from "./persons.ts";
import { rolesIn } from "./store/roles.ts";

export default service("groups", {
	node: groupsNode,
	consumers: { "groups-people": people },
	signals: {
		"groups.written"({ groupId }, { node, own }) {
			if (!own) node.forget(groupId);
		},
	},

	person: persons,

	started: (node) => node.checkLog(),

	actions: {
		async health(_ctx, { logIsHealthy }) {
			const [{ status, checks }, log] = await Promise.all([healthOf("groups")(), logIsHealthy?.()]);
			if (log === undefined) return { status, checks };
			return { status: log ? status : "down", checks: { ...checks, log: { status: log ? "ok" : "down" } } };
		},

		async create(ctx, node) {
			const groupId = newId();
			const { name, description, isPublic } = ctx.params;
			const { profileId } = ctx.caller;
			return command(node, ctx, groupId, (state, moment) => {
				const decision = create(state, groupId, moment, { name, description, isPublic });
				const made = decision.events.reduce<ReturnType<typeof evolve>>((group, event) => evolve(group, groupId, 1, event), null);
				return { ...decision, answer: () => viewGroup(visible(made, profileId), profileId, 0) };
			});
		},

		async mine(ctx, node) {
			const { profileId } = ctx.caller;
			return pageById(ctx.params, (before, limit) => node.reads.groupsOf(profileId, before, limit));
		},

		async public(ctx, node) {
			const { profileId } = ctx.caller;
			return pageById(ctx.params, (before, limit) => node.reads.publicGroups(profileId, before, limit));
		},

		async show(ctx, node) {
			const { profileId } = ctx.caller;
			const group = visible(await node.actors.read(ctx.params.groupId), profileId);
			return viewGroup(group, profileId, await unreadOf(node, group, profileId));
		},

		async edit(ctx, node) {
			const { groupId, ...change } = ctx.params;
			await command(node, ctx, groupId, (state, moment) => edit(state, moment, change));
			const group = visible(await node.actors.read(groupId), ctx.caller.profileId);
			return viewGroup(group, ctx.caller.profileId, await unreadOf(node, group, ctx.caller.profileId));
		},

		async remove(ctx, node) {
			return command(node, ctx, ctx.params.groupId, (state, moment) => remove(state, moment));
		},

		async join(ctx, node) {
			return command(node, ctx, ctx.params.groupId, (state, moment) => join(state, moment));
		},

		async leave(ctx, node) {
			return command(node, ctx, ctx.params.groupId, (state, moment) => leave(state, moment, ctx.params.successorId));
		},

		async part(ctx, node) {
			const { groupId, profileId } = ctx.params;
			return commandBy(node, ctx, { profileId, displayName: "" }, groupId, (state, moment) => depart(state, moment, profileId));
		},

		async members(ctx, node) {
			const { groupId, limit, cursor } = ctx.params;
			const [seq, id] = decodeCursor(cursor, ["number", "uuid"]) ?? ["0", ""];
			const { group } = asMember(await node.actors.read(groupId), ctx.caller.profileId);
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

		async rolesIn(ctx, { db }) {
			const { groupIds } = ctx.params;
			const roles = await rolesIn(db, ctx.caller.profileId, groupIds);
			return { roles: groupIds.map((groupId) => roles.get(groupId) ?? null) };
		},

		async memberIds(ctx, node) {
			const { profileId } = ctx.caller;
			const { group } = asMember(await node.actors.read(ctx.params.groupId), profileId);
			return { profileIds: [...new Set([profileId, ...group.members.keys()])].slice(0, 1000) };
		},

		async setRole(ctx, node) {
			const { groupId, profileId, role } = ctx.params;
			return command(node, ctx, groupId, (state, moment) => setRole(state, moment, profileId, role));
		},

		async kick(ctx, node) {
			const { groupId, profileId } = ctx.params;
			return command(node, ctx, groupId, (state, moment) => kick(state, moment, profileId));
		},
	},
});
