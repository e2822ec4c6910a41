// Who is here.
import type { Route } from "../route.ts";

export const presence: readonly Route[] = [{ method: "GET", path: "/api/presence", action: "presence.lookup", access: "signed-in" }];
