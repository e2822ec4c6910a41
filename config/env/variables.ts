// ONE table of every variable that Reloop knows: a row more is a setting more.
import {
	bucket,
	factor,
	integer,
	isNetwork,
	isOrigin,
	issuerUrl,
	list,
	mailbox,
	mongoUrl,
	natsUrls,
	oneOf,
	postgresUrl,
	redisUrl,
	scopes,
	seconds,
	secretKey,
	smtpUrl,
	tcpUrl,
	truth,
	webhookSecret,
	webUrl,
	word,
} from "./kinds.ts";
import type { Kind } from "./kinds.ts";

export interface Row<T> {
	kind: Kind<T>;
	/** What stands where the variable is absent, in the words of the variable; absent: the variable has no value then. */
	fallback?: string;
}

const row = <T>(kind: Kind<T>, fallback: string): Row<T> & { fallback: string } => ({ kind, fallback });
const maybe = <T>(kind: Kind<T>): Row<T> => ({ kind });

/** Every variable of this version, its kind and its default. NODES, SECRET_KEY, PUBLIC_URL have defaults that depend on others. */
export const variables = {
	NODE_ENV: row(oneOf("development", "production", "test"), "development"),
	PORT: row(integer(0, 65_535), "3000"),
	HOST: row(word, "127.0.0.1"),
	SOCKET_PORT: maybe(integer(0, 65_535)),
	NODES: maybe(list("names of folders under services/, comma separated", (entry) => /^[a-z]+$/.test(entry))),
	DATA_DIR: row(word, ".data"),
	DATABASE_URL: maybe(postgresUrl),
	DATABASE_DIRECT_URL: maybe(postgresUrl),
	NATS_URL: maybe(natsUrls),
	NATS_CREDS_FILE: maybe(word),
	NATS_TLS_CA: maybe(word),
	NATS_TLS_CERT: maybe(word),
	NATS_TLS_KEY: maybe(word),
	NATS_REPLICAS: row(integer(1, 5), "1"),
	REDIS_URL: maybe(redisUrl),
	MONGO_URL: maybe(mongoUrl),
	SMTP_URL: maybe(smtpUrl),
	MAIL_FROM: maybe(mailbox),
	TRUST_PROXY: row(list("addresses or networks (10.0.0.0/8) of proxies, comma separated", isNetwork), ""),
	TTL_ACCESS: row(seconds, "600"),
	TTL_REFRESH: row(seconds, "2592000"),
	TTL_MAIL_CODE: maybe(seconds),
	TTL_INVITE: row(seconds, "604800"),
	TTL_STOCK_HOLD: row(seconds, "900"),
	TTL_REDEMPTION: row(seconds, "900"),
	TTL_PROVIDER_ASK: row(seconds, "10"),
	ALLOW_PRIVATE_ENDPOINTS: row(truth, "false"),
	SECRET_KEY: maybe(secretKey),
	PUBLIC_URL: maybe(webUrl),
	RATE_LIMIT_FACTOR: row(factor, "1"),
	CLERK_WEBHOOK_SECRET: maybe(webhookSecret),
	S3_ENDPOINT: maybe(webUrl),
	S3_BUCKET: maybe(bucket),
	S3_REGION: row(word, "us-east-1"),
	S3_ACCESS_KEY: maybe(word),
	S3_SECRET_KEY: maybe(word),
	UPLOADS_SHARED: row(truth, "false"),
	CLAMD_URL: maybe(tcpUrl),
	FCM_CREDENTIALS_FILE: maybe(word),
	FCM_API_BASE: row(webUrl, "https://fcm.googleapis.com"),
	CORS_ORIGINS: row(list("origins such as https://app.example, comma separated", isOrigin), ""),
	METRICS_PORT: maybe(integer(0, 65_535)),
	METRICS_HOST: row(word, "127.0.0.1"),
	LOG_LEVEL: row(oneOf("fatal", "error", "warn", "info", "debug", "trace"), "info"),
} satisfies Record<string, Row<unknown>>;

/** `OIDC_<NAME>_…`, for any NAME: a provider that people may sign in with, called `<name>` by clients. */
export const oidc = {
	ISSUER: maybe(issuerUrl),
	CLIENT_ID: maybe(word),
	CLIENT_SECRET: maybe(word),
	SCOPES: row(scopes, "openid profile email"),
} satisfies Record<string, Row<unknown>>;

/** Known names whose feature comes with a later version: set, they would be obeyed by nobody. */
export const notYet = [
	/^MAP_TILES_URL$/,
	/^OTEL_EXPORTER_OTLP_ENDPOINT$/,
	/^PAYMENT_PROVIDER$/,
	/^STRIPE_(SECRET_KEY|WEBHOOK_SECRET|API_BASE)$/,
];

/** A name that begins so is meant for us: unknown, it is a misspelling. */
export const ours = /^(DATABASE|NATS|TTL|OIDC|S3|STRIPE|RATE)_/;

type Table = typeof variables;
type Valued<R> = R extends Row<infer T> ? (R extends { fallback: string } ? T : T | undefined) : never;

/** What was read of each, before they are looked at together. */
export type Values = { [K in keyof Table]: Valued<Table[K]> };
