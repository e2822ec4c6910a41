// What every route of the HTTP door is asked with, for the access matrix: a file for each node.
import type { Cases } from "./case.ts";
import { catalog } from "./catalog.ts";
import { groups } from "./groups.ts";
import { identity } from "./identity.ts";
import { others } from "./others.ts";

export const cases: Cases = { ...others, ...identity, ...groups, ...catalog };
