// Groups and their members.
import { decodeCursor, newId, pageById, pageOf, service, tellFacts } from "../../mixins/node.ts";
import { healthOf } from "../../mixins/health.ts";
import { describePictures } from "../../mixins/pictures.ts";
import { problem } from "../contracts/errors.ts";
import type { Ctx } from "../contracts/index.ts";
import { groupsNode } from "./actor/actors.ts";
import type { GroupsNode } from "./actor/actors.ts";
import { command, commandBy, shown, showGroup, showGroupNow } from "./actor/command.ts";
import { depart } from "./domain/depart.ts";
import { create, edit, remove } from "./domain/life.ts";
import { join, kick, leave, setRole } from "./domain/members.ts";
import { asMember, evolve, mutedAt, visible } from "./domain/group.ts";
import { facesOf } from "./people/faces.ts";
import { groupsJobs } from "./jobs.ts";
import { people } from "./people/consumer.ts";
import { persons } from "./persons.ts";
import { openInvitesAround } from "./store/invites.ts";
import { membersAfter, membersAmong, writeMute } from "./store/members.ts";
import { rolesIn } from "./store/roles.ts";
import { standingOf } from "./store/standing.ts";

/** A mute without an end. */
const FOR_GOOD = "9999-12-31T23:59:59.999Z";
/** As many of a group are followed by one socket. */
const MOST_FOLLOWED = 1000;

/** Throws 422 where an avatar is no upload of the caller's own. */
const checkAvatar = (ctx: Ctx, avatar: string | null | undefined) =>
	describePictures(ctx, "avatar", avatar ? [avatar] : [], { single: true });

/** Personal, and no event of the group: written beside its log. */
async function mute(ctx: Ctx, node: GroupsNode, groupId: string, until: string | null) {
	const { profileId } = ctx.caller;
	asMember(await node.read(groupId, profileId), profileId);
	await node.db.tx(async (tx) => {
		if (!(await writeMute(tx, groupId, profileId, until))) throw problem("not-member");
		const who = { groupId, profileId };
		await tellFacts(tx, ctx, [
			until === null
				? { type: "groups.member.unmuted", aggregate: groupId, payload: who }
				: { type: "groups.member.muted", aggregate: groupId, payload: { ...who, until: until === FOR_GOOD ? null : until } },
		]);
	});
	node.wrote(groupId);
	const { me } = asMember(await node.read(groupId, profileId), profileId);
	me.mutedUntil = until;
	return { groupId, mutedUntil: until };
}

export default service("groups", {
	node: groupsNode,
	jobs: groupsJobs,
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
			const { name, description, isPublic, avatar = null } = ctx.params;
			const { profileId } = ctx.caller;
			await checkAvatar(ctx, avatar);
			return command(node, ctx, groupId, (state, moment) => {
				const decision = create(state, groupId, moment, { name, description, isPublic, avatar });
				const made = decision.events.reduce<ReturnType<typeof evolve>>((group, event) => evolve(group, groupId, 1, event), null);
				return { ...decision, answer: () => showGroup(ctx.broker, visible(made, profileId), profileId, 0) };
			});
		},

		async mine(ctx, node) {
			const { profileId } = ctx.caller;
			return shown(node, ctx, await pageById(ctx.params, (before, limit) => node.reads.groupsOf(profileId, before, limit)));
		},

		async public(ctx, node) {
			const { profileId } = ctx.caller;
			return shown(node, ctx, await pageById(ctx.params, (before, limit) => node.reads.publicGroups(profileId, before, limit)));
		},

		async show(ctx, node) {
			const { profileId } = ctx.caller;
			const group = visible(await node.read(ctx.params.groupId, profileId), profileId);
			return showGroupNow(node, ctx, group, profileId);
		},

		async edit(ctx, node) {
			const { groupId, ...change } = ctx.params;
			const { profileId } = ctx.caller;
			await checkAvatar(ctx, change.avatar);
			await command(node, ctx, groupId, (state, moment) => edit(state, moment, change));
			const group = visible(await node.read(groupId, profileId), profileId);
			return showGroupNow(node, ctx, group, profileId);
		},

		async remove(ctx, node) {
			return command(node, ctx, ctx.params.groupId, (state, moment) => remove(state, moment));
		},

		async join(ctx, node) {
			const { groupId } = ctx.params;
			return command(node, ctx, groupId, async (state, moment) =>
				join(state, moment, await standingOf(node.db, groupId, moment.by.profileId, moment.at)),
			);
		},

		async leave(ctx, node) {
			const { groupId, successorId } = ctx.params;
			return command(node, ctx, groupId, async (state, moment) =>
				leave(state, moment, successorId, await standingOf(node.db, groupId, moment.by.profileId, moment.at)),
			);
		},

		async part(ctx, node) {
			const { groupId, profileId } = ctx.params;
			return commandBy(node, ctx, { profileId, displayName: "" }, groupId, (state, moment) => depart(state, moment, profileId));
		},

		async members(ctx, node) {
			const { groupId, limit, cursor } = ctx.params;
			const [seq, id] = decodeCursor(cursor, ["number", "uuid"]) ?? ["0", null];
			asMember(await node.read(groupId, ctx.caller.profileId), ctx.caller.profileId);
			const found = await membersAfter(node.db, groupId, Number(seq), id, limit + 1);
			const faces = await facesOf(
				node.db,
				ctx.broker,
				found.map(([profileId]) => profileId),
			);
			return pageOf(
				found,
				limit,
				([profileId, member]) => [member.joinedSeq, profileId],
				([profileId, { displayName, role, joinedAt }]) => ({ profileId, displayName, role, joinedAt, ...faces(profileId) }),
			);
		},

		async rolesIn(ctx, { db }) {
			const { groupIds } = ctx.params;
			const roles = await rolesIn(db, ctx.caller.profileId, groupIds);
			return { roles: groupIds.map((groupId) => roles.get(groupId) ?? null) };
		},

		async memberIds(ctx, node) {
			const { groupId } = ctx.params;
			const { profileId } = ctx.caller;
			const { group } = asMember(await node.read(groupId, profileId), profileId);
			const first = await membersAfter(node.db, groupId, 0, null, MOST_FOLLOWED);
			return { profileIds: [...new Set([profileId, ...first.map(([id]) => id)])].slice(0, MOST_FOLLOWED), memberCount: group.members.size };
		},

		async membersAmong(ctx, { db }) {
			const { groupId, profileIds } = ctx.params;
			const { profileId } = ctx.caller;
			const members = await membersAmong(db, groupId, [profileId, ...profileIds]);
			if (!members.has(profileId)) throw problem("not-found");
			return { profileIds: profileIds.filter((id) => members.has(id)) };
		},

		async setRole(ctx, node) {
			const { groupId, profileId, role } = ctx.params;
			return command(node, ctx, groupId, (state, moment) => setRole(state, moment, profileId, role));
		},

		async kick(ctx, node) {
			const { groupId, profileId } = ctx.params;
			return command(node, ctx, groupId, async (state, moment) =>
				kick(state, moment, profileId, await openInvitesAround(node.db, groupId, { by: profileId })),
			);
		},

		async mute(ctx, node) {
			const { groupId, until } = ctx.params;
			const end = until ?? FOR_GOOD;
			if (mutedAt(end, new Date()) === null)
				throw problem("validation", { errors: [{ path: "until", code: "min", message: "That is over already." }] });
			return mute(ctx, node, groupId, end);
		},

		unmute: (ctx, node) => mute(ctx, node, ctx.params.groupId, null),

		reload(ctx, node) {
			node.forget(ctx.params.groupId);
			node.wrote(ctx.params.groupId);
			return {};
		},
	},
});
