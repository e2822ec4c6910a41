// Redis, where REDIS_URL names one: what all processes must know alike and may forget (limits, presence, who was signed out,
// caches).
import type { ServiceBroker } from "moleculer";
import { perBroker } from "../per-broker.ts";
import { settings } from "../settings.ts";
import { connect, type RedisLink } from "./link.ts";

const links = perBroker((broker) => {
	const { REDIS_URL } = settings(broker);
	return { link: REDIS_URL ? connect(broker, REDIS_URL) : undefined };
});

/** This process's way to Redis; undefined without REDIS_URL. */
export const redisOf = (broker: ServiceBroker): RedisLink | undefined => links(broker).link;

/** How Redis is, seen from this process; undefined without REDIS_URL. */
export function redisStatus(broker: ServiceBroker): "ok" | "degraded" | undefined {
	const { link } = links(broker);
	return link && (link.trouble ? "degraded" : "ok");
}
