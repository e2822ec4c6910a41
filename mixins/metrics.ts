// What a process tells Prometheus, on a port of its own (METRICS_PORT): its memory and event loop, and what it holds. The
// autoscaler of the realtime door counts `reloop_sockets`.
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { natsOf } from "./nats.ts";
import { holdings } from "./operators.ts";
import { settings } from "./settings.ts";

function registryOf(broker: ServiceBroker): Registry {
	const register = new Registry();
	register.setDefaultLabels({ nodes: settings(broker).NODES.join(",") });
	collectDefaultMetrics({ register });
	const gauge = (name: string, help: string, read: () => number) => {
		const made: Gauge = new Gauge({ name, help, registers: [register], collect: () => made.set(read()) });
	};
	gauge("reloop_sockets", "Sockets that are connected to this process.", () => holdings(broker).sockets);
	gauge("reloop_rooms", "Rooms that sockets of this process hear.", () => holdings(broker).rooms);
	gauge("reloop_actors", "Actors that this process keeps in memory.", () => holdings(broker).actors);
	gauge("reloop_transport_up", "1 while this process reaches NATS, or needs none.", () => (natsOf(broker)?.connected === false ? 0 : 1));
	return register;
}

/** The service of a process whose METRICS_PORT is set. `0` picks a free port and logs it. */
export function metricsService(broker: ServiceBroker): ServiceSchema {
	let server: Server | undefined;
	return {
		name: "metrics",
		async started() {
			const { METRICS_PORT, METRICS_HOST } = settings(broker);
			const registry = registryOf(broker);
			server = createServer((req, res) => {
				if (req.url?.split("?", 1)[0] !== "/metrics") return void res.writeHead(404).end();
				registry.metrics().then(
					(text) => res.writeHead(200, { "Content-Type": registry.contentType }).end(text),
					() => res.writeHead(500).end(),
				);
			});
			server.listen(METRICS_PORT, METRICS_HOST);
			try {
				await once(server, "listening");
			} catch (error) {
				const { code } = error as NodeJS.ErrnoException;
				throw Object.assign(new Error(`METRICS_PORT: ${METRICS_PORT} of ${METRICS_HOST} could not be opened (${code}).`), {
					sentence: true,
				});
			}
			const { port } = server.address() as AddressInfo;
			broker.logger.info("Metrics are told.", { url: `http://${METRICS_HOST}:${port}/metrics` });
		},
		stopped() {
			server?.close();
			server?.closeAllConnections();
		},
	};
}
