// What a node is written with, in one import. Each thing is explained where it is made; what only some nodes need (actors, room
// logs, limits, Redis) is imported from there.
export { callAction } from "./call.ts";
export type { Page } from "./cursor.ts";
export { decodeCursor, pageById, pageOf } from "./cursor.ts";
export type { Cause, Consumer, NewFact } from "./facts/index.ts";
export { eachFact, tellEach, tellFacts } from "./facts/index.ts";
export { jobsOf } from "./jobs/index.ts";
export { newId } from "./id.ts";
export { once, onceAfter } from "./idempotency.ts";
export { perBroker } from "./per-broker.ts";
export type { EraseTools, Person, PersonalData } from "./person/index.ts";
export { erasedAmong } from "./person/index.ts";
export type { Db, Queryable, Tx } from "./postgres.ts";
export { database } from "./postgres.ts";
export type { OwnNode } from "./service.ts";
export { service } from "./service.ts";
export { isTool, settings } from "./settings.ts";
export { broadcast } from "./signals.ts";
