// What a test of a node needs, in one import:
//
//   const app = await testApp();                                        // all nodes and both doors, for this file
//   const ana = await person(app.url, "Ana");                     // somebody with an account
//   await ana.post("/api/notes", { title: "Needle" });            // as a client asks
//   await hear(app.broker, { type: "groups.group.deleted", … });  // another node tells something
//   assert.equal((await told("notes.note.shared")).length, 1);    // what the node has told
//   turnClock(DAY);                                               // until the end of the test
//   await callAction(app.broker, "notes.count", {});              // an action that no door names
export { callAction } from "../../mixins/call.ts";
export type { TestApp } from "./app.ts";
export { startTestApp, testApp } from "./app.ts";
export type { Person, Reply } from "./client.ts";
export { connect, groupOf, http, is, listen, person, say } from "./client.ts";
export { stopClock, turnClock } from "./clock.ts";
export { eventually } from "./eventually.ts";
export { hear, told } from "./told.ts";
