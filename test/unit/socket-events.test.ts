// The table of the events a client may send.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isProblem } from "../../services/contracts/errors.ts";
import { socketEvents } from "../../services/contracts/socket.ts";
import { mayConnect, maySay } from "../../services/socket/access.ts";
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

test("an event is for whoever is connected, or for those whose token carries its scope", () => {
	maySay("signed-in", { scopes: [] });
	maySay("ops:read", { scopes: ["account:own", "ops:read"] });
	assert.throws(
		() => maySay("ops:read", { scopes: ["account:own"] }),
		(error) => isProblem(error, "forbidden"),
	);
});

test("a token that is good for nothing but changing the password opens no socket", () => {
	mayConnect({ scopes: ["account:own"] });
	assert.throws(
		() => mayConnect({ scopes: ["account:password"] }),
		(error) => isProblem(error, "password-change-required"),
	);
});
