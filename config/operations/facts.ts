// Operators' commands about databases and facts: what waits, what was given up, and giving it another life.
import { deadLetters as deadLettersOf, replayDeadLetters } from "../../mixins/facts/inbox.ts";
import type { DeadLetter } from "../../mixins/facts/inbox.ts";
import { factsState } from "../../mixins/facts/state.ts";
import type { FactsState } from "../../mixins/facts/state.ts";
import { ago, columns } from "../columns.ts";
import { refusal } from "../refusal.ts";
import { ofEach, sum } from "./each.ts";
import { listProcesses } from "./processes.ts";
import { misused, operation } from "./row.ts";

const deadIn = (state: FactsState | undefined): number => sum(Object.values(state?.consumers ?? {}).map(({ dead }) => dead));

export const status = operation({
	usage: "status",
	summary: "How everything is: processes, databases, facts that wait, dead letters.",
	args: [],
	needs: "data",
	async run(desk) {
		const processes = (await listProcesses(desk)).map(({ nodeId, state }) => ({
			nodeId,
			nodes: state?.nodes ?? [],
			status: state?.health.status ?? "silent",
			checks: state?.health.checks ?? {},
		}));
		const states = await ofEach(factsState);
		const nodes = Object.fromEntries(
			states.map(([node, state]) => [
				node,
				{ database: state ? "ok" : "down", unsentFacts: state?.unsent ?? 0, deadLetters: deadIn(state) },
			]),
		);
		return { processes, nodes, deadLetters: sum(Object.values(nodes).map(({ deadLetters }) => deadLetters)) };
	},
	say: ({ processes, nodes }) => {
		const ready = processes.filter(({ status }) => status === "ok" || status === "degraded").length;
		const away = [...new Set(processes.flatMap(({ checks }) => Object.keys(checks).filter((name) => checks[name]?.status !== "ok")))];
		return [
			`${String(processes.length)} process${processes.length === 1 ? "" : "es"}, ${ready} ready${away.length > 0 ? `; not well: ${away.join(", ")}` : ""}`,
			...Object.entries(nodes).map(
				([name, node]) =>
					`${name.padEnd(14)} database ${node.database}  unsent facts ${node.unsentFacts}  dead letters ${node.deadLetters}`,
			),
		].join("\n");
	},
});

export const outbox = operation({
	usage: "outbox",
	summary: "Facts on their way: not carried yet, and waiting to be handled, by consumer.",
	help: "unsent facts wait in the teller's outbox for the carrier. waiting facts are in the inbox of a consumer; dead ones were given up.",
	args: [],
	needs: "data",
	async run() {
		const states = await ofEach(factsState);
		return Object.fromEntries(states.map(([node, state]) => [node, state ?? null]));
	},
	say: (nodes) =>
		columns([
			["node", "unsent", "oldest", "consumer", "waiting", "dead"],
			...Object.entries(nodes).flatMap(([node, state]): (string | number)[][] => {
				if (!state) return [[node, "database down", "", "", "", ""]];
				const first = [node, state.unsent, state.oldest ? ago(state.oldest) : "-"];
				const consumers = Object.entries(state.consumers);
				if (consumers.length === 0) return [[...first, "-", 0, 0]];
				return consumers.map(([name, { waiting, dead }], at) => [...(at === 0 ? first : ["", "", ""]), name, waiting, dead]);
			}),
		]),
});

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

async function replay(factId?: string): Promise<{ replayed: number }> {
	if (factId !== undefined && !UUID.test(factId)) throw refusal("A fact's id is a UUID.");
	const counts = await ofEach((db) => replayDeadLetters(db, factId));
	const away = counts.filter(([, count]) => count === undefined).map(([node]) => node);
	if (away.length === counts.length && away.length > 0) throw refusal("No database answers.");
	return { replayed: sum(counts.map(([, count]) => count ?? 0)) };
}

const sayReplayed = ({ replayed }: { replayed: number }): string =>
	replayed === 1 ? "1 dead letter will be tried again." : `${replayed} dead letters will be tried again.`;

type Listed = DeadLetter & { node: string };

export const deadLetters = operation({
	usage: "dead-letters [replay [factId]]",
	summary: "Facts that were given up, with the cause; with `replay` they get another life, all or one.",
	args: ["replay?", "factId?"],
	needs: "data",
	async run(_desk, [word, factId]): Promise<{ replayed: number } | { data: Listed[] }> {
		if (word === "replay") return replay(factId);
		if (word !== undefined) throw misused();
		const found = await ofEach(deadLettersOf);
		return { data: found.flatMap(([node, letters]) => (letters ?? []).map((letter) => ({ node, ...letter }))) };
	},
	say(answer) {
		if ("replayed" in answer) return sayReplayed(answer);
		if (answer.data.length === 0) return "There are no dead letters.";
		return columns([
			["node", "consumer", "fact", "type", "tries", "dead", "cause"],
			...answer.data.map((letter) => [
				letter.node,
				letter.consumer,
				letter.factId,
				letter.type,
				letter.tries,
				ago(letter.deadAt),
				(letter.cause.split("\n")[0] ?? "").slice(0, 100),
			]),
		]);
	},
});

export const replayAll = operation({
	usage: "replay-dead-letters [factId]",
	summary: "Give facts that were given up another life: all of them, or one.",
	args: ["factId?"],
	needs: "data",
	run: (_desk, [factId]) => replay(factId),
	say: sayReplayed,
});
