// k8s/: kustomize builds each of what is applied, kubeconform holds it against the schemas of Kubernetes and of k8s/schemas (strict),
// and we hold it against what the platform needs.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { TEST_SECRET_KEY } from "../support/database.ts";
import { lacking } from "../support/lacking.ts";
import { needs } from "../support/servers.ts";
import { acceptable, longestStop, NODES, ROOT, run } from "./support/deployment.ts";

const KUBERNETES = "1.37.0";
const overlays = ["k8s/overlays/dev", "k8s/overlays/production"];
const applied = [...overlays, "k8s/data/production"];
const built = [...applied, "k8s/base", "k8s/data/base"];

type Entry = { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string; key: string } } };
interface Container {
	name: string;
	image: string;
	args?: string[];
	env?: Entry[];
	envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
	ports?: { name: string; containerPort: number }[];
	resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
	securityContext?: { readOnlyRootFilesystem?: boolean; allowPrivilegeEscalation?: boolean; capabilities?: { drop?: string[] } };
	startupProbe?: { httpGet?: { path: string }; periodSeconds: number; failureThreshold: number };
	livenessProbe?: { httpGet?: { path: string } };
	readinessProbe?: { httpGet?: { path: string }; exec?: object };
	lifecycle?: { preStop?: { sleep?: { seconds: number } } };
	volumeMounts?: { name: string; mountPath: string }[];
}
interface Pod {
	containers: Container[];
	enableServiceLinks?: boolean;
	automountServiceAccountToken?: boolean;
	terminationGracePeriodSeconds?: number;
	securityContext?: { runAsNonRoot?: boolean; runAsUser?: number; seccompProfile?: { type: string } };
	volumes?: { name: string }[];
}
interface Resource {
	apiVersion: string;
	kind: string;
	metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
	data?: Record<string, string>;
	spec: {
		template: { metadata: { labels: Record<string, string> }; spec: Pod };
		strategy?: object;
		selector: { matchLabels: Record<string, string> };
		scaleTargetRef: { name: string };
		metrics: { type: string; resource?: { name: string }; pods?: { metric: { name: string } } }[];
		rules: { http: { paths: { path: string; backend: { service: { name: string } } }[] } }[];
		target: { name: string };
		volumeClaimTemplates?: object[];
		data: { secretKey: string }[];
	};
}

function build(folder: string): { text: string; resources: Resource[] } {
	const { code, out, err } = run("kustomize", ["build", folder]);
	assert.equal(code, 0, err);
	return { text: out, resources: parseAllDocuments(out).map((document) => document.toJS() as Resource) };
}

function conform(text: string) {
	const bundled = path.join(
		ROOT,
		".ci-bin/schemas/{{.NormalizedKubernetesVersion}}-local{{.StrictSuffix}}/{{.ResourceKind}}{{.KindSuffix}}.json",
	);
	const own = path.join(ROOT, "k8s/schemas/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json");
	const args = ["-strict", "-output", "json", "-summary", "-kubernetes-version", KUBERNETES];
	const { code, out, err } = run("kubeconform", [...args, "-schema-location", bundled, "-schema-location", own, "-"], { input: text });
	return { code, said: out + err, summary: (JSON.parse(out) as { summary: Record<string, number> }).summary };
}

const schemas = fs.existsSync(path.join(ROOT, `.ci-bin/schemas/v${KUBERNETES}-local-strict`));
const skip =
	needs("kustomize", "kubeconform") || lacking(!schemas && "the schemas of Kubernetes are not on this machine (.ci/install brings them)");

describe("k8s", { skip }, () => {
	const of = new Map<string, ReturnType<typeof build>>();
	const resources = (folder: string, kind?: string): Resource[] => {
		const known = of.get(folder) ?? build(folder);
		of.set(folder, known);
		return known.resources.filter((resource) => !kind || resource.kind === kind);
	};
	const named = (folder: string, kind: string, name: string): Resource => {
		const found = resources(folder, kind).find(({ metadata }) => metadata.name === name);
		assert.ok(found, `${folder} has no ${kind} ${name}`);
		return found;
	};
	const podOf = ({ spec }: Resource): Pod => spec.template.spec;
	const containerOf = (resource: Resource): Container => podOf(resource).containers[0] as Container;

	for (const folder of built) {
		test(`${folder} is what Kubernetes accepts, strictly`, () => {
			const count = resources(folder).length;
			const { code, said, summary } = conform(of.get(folder)?.text ?? "");
			assert.equal(code, 0, said);
			assert.deepEqual(summary, { valid: count, invalid: 0, errors: 0, skipped: 0 });
		});
	}

	test("what is misspelled, of a wrong type or of an unknown kind is refused", () => {
		const parts = (of.get("k8s/overlays/production") ?? build("k8s/overlays/production")).text.split(/^---$/m);
		for (const [from, to] of [
			["enableServiceLinks: false", "enableServiceLink: false"],
			["maxUnavailable: 0", "maxUnavailable: [none]"],
			["creationPolicy: Owner", "creationPolicy: Nobody"],
			["interval: 15s", "intervall: 15s"],
			["kind: ExternalSecret", "kind: ExternalSecrte"],
		] as const) {
			const good = parts.find((part) => part.includes(from));
			assert.ok(good, from);
			assert.notEqual(conform(good.replace(from, to)).code, 0, to);
		}
	});

	for (const folder of overlays) {
		describe(folder, () => {
			test("has every node with its budget and its autoscaler, and the doors with their services", () => {
				const names = (kind: string) =>
					resources(folder, kind)
						.map(({ metadata }) => metadata.name)
						.sort();
				assert.deepEqual(names("Deployment"), NODES);
				for (const node of NODES) {
					const deployment = named(folder, "Deployment", node);
					assert.ok(containerOf(deployment).env?.some(({ name, value }) => name === "NODES" && value === node));
					const labels = deployment.spec.template.metadata.labels;
					for (const [label, value] of Object.entries(named(folder, "PodDisruptionBudget", node).spec.selector.matchLabels))
						assert.equal(labels[label], value);
					const scaler = named(folder, "HorizontalPodAutoscaler", node).spec;
					assert.equal(scaler.scaleTargetRef.name, node);
					const metrics = scaler.metrics.map(({ resource, pods }) => resource?.name ?? pods?.metric.name);
					assert.deepEqual(metrics, node === "socket" ? ["cpu", "reloop_sockets"] : ["cpu"]);
				}
				for (const { http } of named(folder, "Ingress", "reloop").spec.rules)
					for (const { path: prefix, backend } of http.paths) {
						assert.equal(backend.service.name, prefix === "/socket.io" ? "socket" : "api");
						named(folder, "Service", backend.service.name);
					}
				for (const [name, value] of Object.entries(named(folder, "Ingress", "reloop").metadata.annotations ?? {}))
					assert.doesNotMatch(`${name} ${value}`, /cookie|affinity|sticky/i);
			});

			test("gives every container variables that its start accepts, secrets by reference only", () => {
				const secrets: Record<string, string> = {
					SECRET_KEY: TEST_SECRET_KEY,
					NATS_URL: "nats://reloop:word@nats:4222",
					REDIS_URL: "redis://:word@redis:6379",
					MONGO_URL: "mongodb://mongo-0.mongo:27017/reloop?replicaSet=rs0",
					S3_SECRET_KEY: "word",
				};
				const owner = "postgres://reloop:word@postgres:5432/reloop";
				for (const resource of [...resources(folder, "Deployment"), ...resources(folder, "Job")]) {
					const { env = [], envFrom = [] } = containerOf(resource);
					const common = envFrom.map(({ configMapRef }) => (configMapRef ? named(folder, "ConfigMap", configMapRef.name).data : secrets));
					const own = env.map(({ name, value, valueFrom }) => [
						name,
						value ?? (valueFrom?.secretKeyRef?.name === "reloop-owner" ? owner : secrets[valueFrom?.secretKeyRef?.key ?? ""]),
					]);
					acceptable(Object.assign({ NODE_ENV: "production" }, ...common, Object.fromEntries(own)));
				}
				assert.deepEqual(resources(folder, "Secret"), []);
				for (const { data = {} } of resources(folder, "ConfigMap")) assert.doesNotMatch(JSON.stringify(data), /:\/\/[^/"]*:[^/"]*@/);
				for (const { spec } of resources(folder, "ExternalSecret"))
					if (spec.target.name === "reloop")
						assert.deepEqual(spec.data.map(({ secretKey }) => secretKey).sort(), Object.keys(secrets).sort());
			});

			test("starts, probes and ends a node in time", () => {
				for (const deployment of resources(folder, "Deployment")) {
					const pod = podOf(deployment);
					const { startupProbe, livenessProbe, readinessProbe, lifecycle, ports } = containerOf(deployment);
					assert.deepEqual(
						[startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet?.path),
						["/live", "/live", "/ready"],
					);
					assert.ok(
						(startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0) >= 200,
						"a start may wait for three servers",
					);
					assert.deepEqual(
						ports?.map(({ name, containerPort }) => [name, containerPort]),
						[
							["http", 3000],
							["metrics", 9464],
						],
					);
					const seconds = (lifecycle?.preStop?.sleep?.seconds ?? 0) + longestStop() / 1000;
					assert.ok((pod.terminationGracePeriodSeconds ?? 0) >= seconds + 5);
					assert.deepEqual(deployment.spec.strategy, { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
				}
			});

			test("runs every pod of ours without root, without a writable root, and without Kubernetes' own variables", () => {
				for (const resource of [...resources(folder, "Deployment"), ...resources(folder, "Job")]) {
					const pod = podOf(resource);
					const { securityContext, resources: limits, volumeMounts = [] } = containerOf(resource);
					assert.deepEqual([pod.enableServiceLinks, pod.automountServiceAccountToken], [false, false]);
					assert.deepEqual([pod.securityContext?.runAsNonRoot, pod.securityContext?.runAsUser], [true, 1000]);
					assert.equal(pod.securityContext?.seccompProfile?.type, "RuntimeDefault");
					assert.deepEqual(securityContext, {
						allowPrivilegeEscalation: false,
						readOnlyRootFilesystem: true,
						capabilities: { drop: ["ALL"] },
					});
					assert.ok(limits?.requests?.cpu && limits.requests.memory && limits.limits?.memory);
					for (const { name } of volumeMounts)
						assert.ok(
							pod.volumes?.some((volume) => volume.name === name),
							name,
						);
				}
			});

			test("has a policy for the network of every pod", () => {
				const policies = resources(folder, "NetworkPolicy").map(({ metadata }) => metadata.name);
				assert.ok(["nodes", "doors", "metrics"].every((name) => policies.includes(name)));
			});
		});
	}

	test("the servers that hold data are stateful sets of their own, apart from production's nodes", () => {
		assert.deepEqual(resources("k8s/overlays/production", "StatefulSet"), []);
		for (const folder of ["k8s/overlays/dev", "k8s/data/production"]) {
			const sets = resources(folder, "StatefulSet");
			assert.deepEqual(sets.map(({ metadata }) => metadata.name).sort(), ["mongo", "nats", "postgres", "redis", "s3"]);
			for (const set of sets) {
				assert.equal(set.spec.volumeClaimTemplates?.length, 1);
				assert.equal(podOf(set).securityContext?.runAsNonRoot, true);
				assert.ok(containerOf(set).readinessProbe && containerOf(set).resources?.limits?.memory);
				for (const { name, value } of containerOf(set).env ?? []) assert.ok(!/PASSWORD/.test(name) || value === undefined, name);
			}
		}
	});
});
