// Whose pages may speak with us, at both doors: our own, and those of CORS_ORIGINS.
import type { ServiceBroker } from "moleculer";
import { settings } from "./settings.ts";

/** The origins that a browser may come from. What has no Origin is no page, and not for this list to judge. */
export function allowedOrigins(broker: ServiceBroker): string[] {
	const { PORT, PUBLIC_URL, CORS_ORIGINS } = settings(broker);
	return [new URL(PUBLIC_URL).origin, `http://localhost:${PORT}`, `http://127.0.0.1:${PORT}`, ...CORS_ORIGINS];
}
