// Names of time zones, as people give them.
import { problem } from "../services/contracts/errors.ts";

/** Whether it is a time zone of the IANA database. Offsets such as `+02:00` are none: nobody's clock follows them all year. */
export function isTimeZone(name: string): boolean {
	try {
		return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
	} catch {
		return false;
	}
}

/** Throws 422 `validation`. */
export function acceptTimeZone(name: string): void {
	if (isTimeZone(name)) return;
	throw problem("validation", { errors: [{ path: "timeZone", code: "format", message: "must be a time zone such as Europe/Lisbon" }] });
}
