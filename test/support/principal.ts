// A caller as a door would have sealed it, for tests that call actions without a door.
import type { ServiceBroker } from "moleculer";
import { sealsFor } from "../../mixins/principal.ts";
import { settings } from "../../mixins/settings.ts";
import type { Principal } from "../../services/contracts/index.ts";

/** Good for an hour, in every process with the broker's SECRET_KEY. */
export const sealedPrincipal = (broker: ServiceBroker, principal: Omit<Principal, "seal">): Principal =>
	sealsFor(settings(broker).SECRET_KEY).seal(principal, Date.now() / 1000 + 3_600);
