// Edits, deletions and reactions are events like messages: heard once, in order, without a gap, however often the wire is cut.
import { test } from "node:test";
import { testApp } from "../../support/kit.ts";
import { talkers } from "../../support/talkers.ts";

const { url } = await testApp();

test("with forced disconnects while people post, edit, delete and react, every reader's copy says what the server says", () =>
	talkers({ http: [url], sockets: [url], disconnects: 60 }));
