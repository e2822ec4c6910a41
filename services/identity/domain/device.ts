// What a person calls the device they signed in with: read off its User-Agent. Pure.
import type { Session } from "../../contracts/identity.ts";

/** In this order: a browser names those that it wants to be taken for, too. */
const PROGRAMS: readonly [RegExp, string][] = [
	[/\bEdg(?:e|A|iOS)?\/(\d+)/, "Edge"],
	[/\bOPR\/(\d+)/, "Opera"],
	[/\bSamsungBrowser\/(\d+)/, "Samsung Internet"],
	[/\b(?:Firefox|FxiOS)\/(\d+)/, "Firefox"],
	[/\b(?:Chrome|CriOS|HeadlessChrome)\/(\d+)/, "Chrome"],
	[/\bVersion\/(\d+)[\d.]*(?: Mobile\/\w+)? Safari\//, "Safari"],
];
const SYSTEMS: readonly [RegExp, string][] = [
	[/\biPhone\b/, "iPhone"],
	[/\biPad\b/, "iPad"],
	[/\bAndroid\b/, "Android"],
	[/\bCrOS\b/, "ChromeOS"],
	[/\bWindows\b/, "Windows"],
	[/\bMac(?:intosh| OS X)\b/, "macOS"],
	[/\bLinux\b/, "Linux"],
];
const LONGEST = 200;

/** `Firefox 131 on Windows`; a program that is no browser calls itself what it likes. */
export function deviceName(userAgent: string): string {
	for (const [pattern, name] of PROGRAMS) {
		const version = pattern.exec(userAgent)?.[1];
		if (version === undefined) continue;
		const system = SYSTEMS.find(([sign]) => sign.test(userAgent))?.[1];
		return `${name} ${version}${system ? ` on ${system}` : ""}`;
	}
	return userAgent.trim().slice(0, LONGEST) || "Unknown device";
}

/** A session as it is shown: kept of its device is the User-Agent. */
export const shownSession = (session: Session): Session => ({ ...session, device: deviceName(session.device) });
