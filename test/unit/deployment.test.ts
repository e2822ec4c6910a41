// Every node under services/ is in each file that deploys nodes. Read as YAML only: what kustomize and compose make of them is
// test/cluster/deploy-*.test.ts.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { nodeFolders } from "../../config/env.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

interface Compose {
	services: Record<string, { environment?: { NODES?: string } }>;
}
interface Kustomization {
	resources?: string[];
	configMapGenerator?: { name: string }[];
}

/** undefined where there is no such file. */
function read<T>(file: string): T | undefined {
	const there = path.join(ROOT, file);
	return fs.existsSync(there) ? (parse(fs.readFileSync(there, "utf8"), { merge: true }) as T) : undefined;
}

const COMPOSE = "docker-compose.yml";
const BASE = "k8s/base/kustomization.yaml";

/** What each file must say about a node, and the sentence when it does not. */
const files: { sentence(node: string): string; has(node: string): boolean }[] = [
	{
		sentence: (node) => `${COMPOSE} lacks the node ${node}: a service of that name with NODES: ${node}.`,
		has: (node) => read<Compose>(COMPOSE)?.services[node]?.environment?.NODES === node,
	},
	{
		sentence: (node) => `${BASE} lacks the node ${node} among its resources.`,
		has: (node) => read<Kustomization>(BASE)?.resources?.includes(node) === true,
	},
	{
		sentence: (node) => `k8s/base/${node}/kustomization.yaml lacks the facts of the node: a configMapGenerator named ${node}.`,
		has: (node) => read<Kustomization>(`k8s/base/${node}/kustomization.yaml`)?.configMapGenerator?.[0]?.name === node,
	},
];

const lacks = (nodes: readonly string[]): string[] =>
	nodes.flatMap((node) => files.filter(({ has }) => !has(node)).map(({ sentence }) => sentence(node)));

/** Nodes that are deployed and are no folder (any more): their processes would refuse to start. */
function strangers(nodes: readonly string[]): string[] {
	const containers = Object.values(read<Compose>(COMPOSE)?.services ?? {}).flatMap(({ environment }) => environment?.NODES ?? []);
	const folders = read<Kustomization>(BASE)?.resources?.filter((resource) => !resource.endsWith(".yaml")) ?? [];
	return [
		...containers.filter((node) => !nodes.includes(node)).map((node) => `${COMPOSE} runs ${node}, which is no node under services/.`),
		...folders.filter((node) => !nodes.includes(node)).map((node) => `${BASE} deploys ${node}, which is no node under services/.`),
	];
}

test("every node under services/ is deployed by docker-compose.yml and by k8s/base, and nothing else is", () => {
	const wrong = [...lacks(nodeFolders()), ...strangers(nodeFolders())];
	assert.ok(wrong.length === 0, wrong.join("\n"));
});

test("a node that was forgotten is named with each file that lacks it, and so is one that is gone", () => {
	assert.deepEqual(lacks(["forgotten"]), [
		"docker-compose.yml lacks the node forgotten: a service of that name with NODES: forgotten.",
		"k8s/base/kustomization.yaml lacks the node forgotten among its resources.",
		"k8s/base/forgotten/kustomization.yaml lacks the facts of the node: a configMapGenerator named forgotten.",
	]);
	assert.deepEqual(strangers(nodeFolders().filter((node) => node !== "groups")), [
		"docker-compose.yml runs groups, which is no node under services/.",
		"k8s/base/kustomization.yaml deploys groups, which is no node under services/.",
	]);
});
