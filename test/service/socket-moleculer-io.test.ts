// What moleculer-io brings along, and the door has closed.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServiceSchema } from "moleculer";
import socketService from "../../services/socket/socket.service.ts";
import { socketPeople } from "../support/socket-people.ts";

describe("what moleculer-io brings along", () => {
	test("has no actions, and no way to an identity or a room of a socket (I3, I4, I8)", async (context) => {
		const { house } = await socketPeople();
		context.after(() => house.stop());
		for (const action of ["socket.call", "socket.broadcast", "socket.getClients"]) {
			await assert.rejects(house.broker.call(action, { room: "live group:1", event: "events" }), { type: "SERVICE_NOT_FOUND" });
		}
		const service = house.broker.getLocalService("socket") as unknown as Record<string, () => unknown>;
		for (const method of ["socketSaveUser", "socketSaveMeta", "socketJoinRooms", "socketLeaveRoom"]) {
			assert.throws(() => service[method]?.(), /is closed/);
		}
	});

	test("does not start without an authorizer (I2)", async (context) => {
		const { house } = await socketPeople();
		context.after(() => house.stop());
		const methods: Record<string, unknown> = { ...socketService.methods };
		delete methods.socketAuthorize;
		const actions = { call: false, broadcast: false, getClients: false };
		assert.throws(() => house.broker.createService({ ...socketService, name: "open", actions, methods } as ServiceSchema), /no authorizer/);
	});
});
