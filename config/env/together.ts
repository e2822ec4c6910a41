// What no variable says alone: which of them need, or exclude, each other.
import fs from "node:fs";
import path from "node:path";
import type { Provider } from "../env.ts";
import { refusal } from "../refusal.ts";
import { issuerUrl, secretKey } from "./kinds.ts";
import type { Values } from "./variables.ts";

/** Has the node a database at all? The doors have none. */
const keepsData = (node: string): boolean => fs.existsSync(path.resolve(import.meta.dirname, "../../services", node, "migrations"));

export function checkTogether(read: Values, nodes: readonly string[]): void {
	const production = read.NODE_ENV === "production";
	const strange = read.NODES?.find((node) => !nodes.includes(node));
	if (strange || read.NODES?.length === 0)
		throw refusal(`NODES must be names out of: ${nodes.join(", ")}.${strange ? ` There is no "${strange}".` : ""}`);
	if (production && !read.SECRET_KEY) throw refusal(`SECRET_KEY is required when NODE_ENV is production: ${secretKey.may}.`);
	if (production && read.RATE_LIMIT_FACTOR > 1) throw refusal("RATE_LIMIT_FACTOR must not be above 1 when NODE_ENV is production.");
	if (production && read.ALLOW_PRIVATE_ENDPOINTS) throw refusal("ALLOW_PRIVATE_ENDPOINTS must not be true when NODE_ENV is production.");
	const s3 = (["S3_ENDPOINT", "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY"] as const).filter((name) => !read[name]);
	if (s3.length > 0 && s3.length < 4)
		throw refusal(`S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY and S3_SECRET_KEY belong together: ${s3.join(", ")} is not set.`);
	if (read.DATABASE_DIRECT_URL && !read.DATABASE_URL)
		throw refusal("DATABASE_DIRECT_URL is the direct way to the server of DATABASE_URL: set both.");
}

/** A provider is an issuer and what we are called there; what it says over plain http anybody on the way may have said. */
export function checkProviders(read: Values, providers: Readonly<Record<string, Partial<Provider>>>): void {
	for (const [name, { issuer, clientId }] of Object.entries(providers)) {
		const of = `OIDC_${name.toUpperCase()}`;
		if (!issuer || !clientId) throw refusal(`${of}_ISSUER and ${of}_CLIENT_ID belong together: set both.`);
		if (read.NODE_ENV === "production" && !issuer.startsWith("https:")) throw refusal(`${of}_ISSUER must be ${issuerUrl.may}.`);
	}
}

/** Several processes need what they share: without it each would count limits, see people and store for itself. */
export function checkCluster(read: Values, databases: Readonly<Record<string, { url?: string }>>, nodes: readonly string[]): void {
	const { NATS_URL, NATS_TLS_CERT, NATS_TLS_KEY } = read;
	if (!NATS_URL) {
		const lone = (["NATS_CREDS_FILE", "NATS_TLS_CA", "NATS_TLS_CERT", "NATS_TLS_KEY"] as const).find((name) => read[name]);
		if (lone) throw refusal(`${lone} belongs to NATS_URL, which is not set.`);
		return;
	}
	if (!!NATS_TLS_CERT !== !!NATS_TLS_KEY) throw refusal("NATS_TLS_CERT and NATS_TLS_KEY belong together: set both.");
	const cluster = "NATS_URL makes this process one of a cluster";
	if (!read.REDIS_URL)
		throw refusal(`${cluster}, and a cluster needs REDIS_URL: limits, presence and revocations must be the same in every process.`);
	const homeless = (read.NODES ?? nodes).filter((node) => keepsData(node) && !databases[node]?.url);
	if (!read.DATABASE_URL && homeless.length > 0)
		throw refusal(`${cluster}, and a cluster needs DATABASE_URL: an embedded database belongs to one process alone.`);
}
