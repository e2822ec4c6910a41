// The table of the events a client may send.
import assert from "node:assert/strict";
import { test } from "node:test";
import { socketEvents } from "../../services/contracts/socket.ts";
import { checkEvents, events as eventTable } from "../../services/socket/events.ts";

test("stops the start when it and the contracts do not agree", () => {
	assert.doesNotThrow(() => checkEvents());
	assert.throws(
		() => checkEvents({ ...socketEvents, read: { ...socketEvents.read, action: "messages.burn" } }),
		/messages\.burn, which is in no contract/,
	);
	assert.throws(() => checkEvents({ ...socketEvents, read: { ...socketEvents.read, action: "messages.openRoom" } }), /not published/);
	assert.deepEqual(Object.keys(eventTable).sort(), Object.keys(socketEvents).sort());
	assert.throws(() => checkEvents(socketEvents, { group: "messages.burn" }), /messages\.burn/);
});
