// What operators see of this door: its sockets, and the rooms that they hear.
import { showOperators } from "../../mixins/operators.ts";
import type { OpenSocket } from "../contracts/operations.ts";
import type { Gateway } from "./gateway.ts";
import type { SocketLink } from "./link.ts";

export function showGateway(gateway: Gateway): void {
	const { gate, links } = gateway;
	const view = (link: SocketLink): OpenSocket => ({
		id: link.id,
		profileId: link.profileId,
		displayName: link.principal.displayName,
		address: link.address,
		rooms: gate.count(link),
		backlog: link.backlog(),
		connectedAt: new Date(link.socket.handshake.issued).toISOString(),
	});
	showOperators(gateway.broker, {
		sockets: {
			count: () => links.size,
			*list() {
				for (const link of links) yield view(link);
			},
		},
		rooms: { count: () => gate.size, list: () => gate.heard() },
	});
}
