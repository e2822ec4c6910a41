// docker-compose.yml: Docker's own program reads it, and we hold what it understood against what the platform needs.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { needs } from "../support/servers.ts";
import { acceptable, longestStop, NODES, ROOT, run } from "./support/deployment.ts";

interface Service {
	image: string;
	build?: { context: string };
	command: string[] | null;
	environment?: Record<string, string>;
	depends_on?: Record<string, { condition: string }>;
	healthcheck?: { test?: string[]; disable?: boolean };
	volumes?: { type: string; source: string; target: string }[];
	ports?: { host_ip?: string; published: string; target: number }[];
	read_only?: boolean;
	cap_drop?: string[];
	stop_grace_period?: string;
	privileged?: boolean;
}
interface Project {
	services: Record<string, Service>;
	volumes: Record<string, object>;
}

describe("docker compose", { skip: needs("docker-compose-v2") }, () => {
	let project: Project;
	let services: [string, Service][];
	before(() => {
		const { code, out, err } = run("docker-compose-v2", ["-f", "docker-compose.yml", "config", "--format", "json"]);
		assert.equal(code, 0, err);
		assert.equal(err, "", "no warning either");
		project = JSON.parse(out);
		services = Object.entries(project.services);
	});
	const ours = () => services.filter(([, { build }]) => build);
	const service = (name: string) => project.services[name] as Service;

	test("has one container per node, each from the one image, and a migration", () => {
		assert.deepEqual(
			ours()
				.map(([name]) => name)
				.sort(),
			[...NODES, "migrate"].sort(),
		);
		for (const [name, { build, image, environment }] of ours()) {
			assert.deepEqual([build?.context, image], [ROOT, "reloop:latest"]);
			if (name !== "migrate") assert.equal(environment?.NODES, name);
		}
	});

	test("gives every container variables that its start accepts", () => {
		for (const [, { environment = {} }] of ours()) acceptable(environment);
		assert.throws(() => acceptable({ ...service("api").environment, NATS_URI: "nats://nats:4222" }), /NATS_URI is not a variable/);
	});

	test("shows the database's owner to the migration alone", () => {
		for (const [name, { environment = {} }] of ours())
			assert.equal(new URL(environment.DATABASE_URL ?? "").username !== "", name === "migrate", name);
	});

	test("starts in the order of health: servers, migration, nodes", () => {
		for (const [name, { depends_on = {} }] of ours()) {
			const conditions = Object.entries(depends_on).map(([server, { condition }]) => `${server} ${condition}`);
			const expected =
				name === "migrate"
					? ["postgres service_healthy"]
					: ["migrate service_completed_successfully", "mongo service_healthy", "nats service_healthy", "redis service_healthy"];
			assert.deepEqual(conditions.sort(), expected);
		}
		for (const [name, { healthcheck, build }] of services)
			if (!build) assert.ok(healthcheck?.test?.[0] === "CMD", `${name} says whether it is healthy`);
	});

	test("lets no node write to its root, be root, or die before its drain is over", () => {
		for (const [name, { read_only, cap_drop, privileged, stop_grace_period }] of ours()) {
			assert.deepEqual([read_only, cap_drop, privileged], [true, ["ALL"], undefined], name);
			assert.ok(Number.parseInt(stop_grace_period ?? "0", 10) * 1000 > longestStop(), name);
		}
	});

	test("keeps every server's data in a named volume, and opens doors to this machine only", () => {
		for (const name of ["nats", "postgres", "redis", "mongo"])
			assert.ok(
				service(name).volumes?.some(({ type, source }) => type === "volume" && source in project.volumes),
				name,
			);
		for (const [name, { ports = [], volumes = [] }] of services) {
			for (const { host_ip } of ports) assert.equal(host_ip, "127.0.0.1", name);
			for (const { type } of volumes) assert.equal(type, "volume", name);
		}
		assert.deepEqual(
			services
				.filter(([, { ports }]) => ports)
				.map(([name]) => name)
				.sort(),
			["api", "mail", "socket"],
		);
		assert.ok(service("nats").command?.includes("-js"));
		assert.match(service("postgres").image, /^postgis\/postgis:15-/);
		assert.ok(service("mongo").command?.includes("--replSet"));
	});

	test("is refused with a misspelled word, so that what passes was read", () => {
		const { code, err } = run("docker-compose-v2", ["-f", "-", "config", "-q"], {
			input: "services: { api: { image: x, read_onyl: true } }",
		});
		assert.notEqual(code, 0);
		assert.match(err, /read_onyl/);
	});
});
