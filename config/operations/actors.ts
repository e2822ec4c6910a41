// Operators' command about a group's actor.
import { inOrder } from "../../mixins/owners.ts";
import type { ActorState } from "../../services/contracts/operations.ts";
import { columns } from "../columns.ts";
import { askAll, silence } from "./ask-all.ts";
import { operation } from "./row.ts";

export const actors = operation({
	usage: "actors <group>",
	summary: "A group's actor: which process owns it, and which hold it in memory.",
	help: "<group> is the group's id. The owner is whom commands are sent to first; any other may take over, since the store is the fence.",
	args: ["group"],
	needs: "processes",
	async run(desk, [groupId = ""]) {
		const { answers, silent } = await askAll(desk, async (process) => {
			const { actor } = await process.ask("ops.actors", { groupId });
			return { actor, runs: (await process.ask("ops.process", {})).nodes.includes("groups") };
		});
		const able = answers.filter(([, { runs }]) => runs).map(([nodeId]) => nodeId);
		const held = answers.flatMap(([nodeId, { actor }]) => (actor ? [{ nodeId, ...actor }] : []));
		return { groupId, owner: inOrder(able, groupId)[0] ?? null, held, silent };
	},
	say: ({ groupId, owner, held, silent }) =>
		(owner === null ? "No process runs groups." : `${groupId} is owned by ${owner}.`) +
		(held.length === 0
			? " Nobody holds it in memory."
			: `\n${columns([["held by", "head", "waiting", "commit"], ...held.map((actor) => actorRow(actor))])}`) +
		silence(silent),
});

const actorRow = ({ nodeId, head, waiting, busy }: ActorState & { nodeId: string }): (string | number)[] => [
	nodeId,
	head ?? "not loaded",
	waiting,
	busy ? "under way" : "none",
];
