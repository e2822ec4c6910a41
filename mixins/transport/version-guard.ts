// Nodes that speak another version of Moleculer's protocol are not listened to.
import type { Middleware, ServiceBroker } from "moleculer";
import { defineMiddleware } from "../moleculer.ts";

/** Refuses packets of nodes that speak another version of Moleculer's protocol, and says so once for each of them. */
export function versionGuard(): Middleware {
	const refused = new Set<string>();
	let broker: ServiceBroker;
	return defineMiddleware({
		name: "VersionGuard",
		created(made: ServiceBroker) {
			broker = made;
		},
		transitMessageHandler:
			(next: (cmd: string, packet: { payload?: { ver?: string; sender?: string } }) => Promise<boolean>) =>
			(cmd: string, packet: { payload?: { ver?: string; sender?: string } }) => {
				const { ver, sender = "somebody" } = packet.payload ?? {};
				if (ver === broker.PROTOCOL_VERSION) return next(cmd, packet);
				if (!refused.has(sender) && refused.size < 1_000) {
					refused.add(sender);
					broker.logger.warn("A node of another protocol version is on our NATS: its packets are refused.", {
						node: sender.slice(0, 100),
						version: String(ver).slice(0, 20),
						ours: broker.PROTOCOL_VERSION,
					});
				}
				return Promise.resolve(false);
			},
	});
}
