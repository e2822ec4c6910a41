// The HTTP door as ONE table, a file for each node: every path there is, which action answers it, and who may ask. Closed by
// default: what has no row is 404, and a row without an access rule stops the start (router.ts). route.ts says what a row may hold.
import type { Route } from "../route.ts";
import { gamification } from "./gamification.ts";
import { groups } from "./groups.ts";
import { identity } from "./identity.ts";
import { presence } from "./presence.ts";
import { process } from "./process.ts";

export const routes: readonly Route[] = [...process, ...identity, ...groups, ...gamification, ...presence];
