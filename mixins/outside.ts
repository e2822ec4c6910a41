// Asking servers that are not ours: bounded in time and size, never led elsewhere by a redirect, and not into private networks
// unless the caller says so. The address is judged where it is connected to: a name that answers differently at the second
// question gains nothing.
import { lookup } from "node:dns";
import http from "node:http";
import https from "node:https";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { LookupFunction } from "node:net";
import { BlockList, isIP } from "node:net";

export interface OutsideQuestion {
	method?: string;
	headers?: Readonly<Record<string, string>>;
	body?: string | Buffer;
	/** Plain http and addresses of private networks will do: somebody in charge has named this server. */
	inside?: boolean;
	/** From the first name looked up to the last byte, in ms. */
	timeoutMs?: number;
	maxBytes?: number;
}

export interface OutsideAnswer {
	/** A redirect is an answer like any other: nobody follows it. */
	status: number;
	headers: IncomingHttpHeaders;
	body: Buffer;
}

/** No answer, or none that is fit to be read. `message` is for logs; it names no value of the answer. */
export class OutsideError extends Error {}
/** The server is in a private network, or spoken to in plain http: asked again, it would be refused again. */
export class InsideError extends OutsideError {}

const TIMEOUT_MS = 4_000;
const MAX_BYTES = 256 * 1024;

/** Networks of IPv4 that are not the Internet: our own, carriers' own, documentation, multicast, reserved. */
const PRIVATE_V4 =
	"0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4";
/** Of IPv6 only global unicast is the Internet; and of that not what carries addresses of IPv4 inside, nor documentation. */
const PUBLIC_V6 = "2000::/3";
const PRIVATE_V6 = "2001::/32 2001:db8::/32 2002::/16 3fff::/20";

function listOf(networks: string): BlockList {
	const list = new BlockList();
	for (const network of networks.split(" ")) {
		const [address = "", bits] = network.split("/");
		list.addSubnet(address, Number(bits), isIP(address) === 6 ? "ipv6" : "ipv4");
	}
	return list;
}
const [privateV4, publicV6, privateV6] = [PRIVATE_V4, PUBLIC_V6, PRIVATE_V6].map(listOf) as [BlockList, BlockList, BlockList];

/** Is this address (no name) one that only a private network, or this machine, answers at? */
export function isPrivate(address: string): boolean {
	if (isIP(address) === 4) return privateV4.check(address, "ipv4");
	return !publicV6.check(address, "ipv6") || privateV6.check(address, "ipv6");
}

const refusePrivate = () => new InsideError("The server is in a private network.");

/** The host of a URL, fit to be looked up: an address of IPv6 without its brackets. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, "");

/** How long (ms) `isInside` waits for a name; and how many of its questions hold one of the few threads that look names up. */
const LOOKUP_MS = 2_000;
const LOOKUPS = 2;
let lookups = 0;

/**
 * Whether a server that a stranger names is one that `askOutside` would not ask, as far as can be said now: a name that nobody can look
 * up just now is let through, and judged when it is asked.
 */
export async function isInside(url: URL): Promise<boolean> {
	const host = hostOf(url);
	if (url.protocol !== "https:") return true;
	if (isIP(host) !== 0) return isPrivate(host);
	// This machine by its name, or one that is complete only within some network.
	if (/^[^.]*\.?$|\.localhost\.?$/i.test(host)) return true;
	if (lookups >= LOOKUPS) return false;
	lookups++;
	return new Promise((resolve) => {
		const timer = setTimeout(() => resolve(false), LOOKUP_MS);
		lookup(host, { all: true }, (error, addresses) => {
			lookups--;
			clearTimeout(timer);
			resolve(!error && addresses.some(({ address }) => isPrivate(address)));
		});
	});
}

/** The addresses of a name, all of them public; a name with a private one among them is refused whole. */
const publicLookup: LookupFunction = (hostname, options, answer) => {
	lookup(hostname, { ...options, all: true }, (error, addresses) => {
		if (error) return answer(error, "");
		const [first] = addresses;
		if (!first || addresses.some(({ address }) => isPrivate(address))) return answer(refusePrivate(), "");
		if (options.all) answer(null, addresses);
		else answer(null, first.address, first.family);
	});
};

/** Throws `OutsideError`. */
export async function askOutside(url: URL, question: OutsideQuestion = {}): Promise<OutsideAnswer> {
	const { method = "GET", headers = {}, body, inside = false, timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES } = question;
	const host = hostOf(url);
	if (url.protocol !== "https:" && !(inside && url.protocol === "http:")) throw new InsideError("The server is not reached over https.");
	// An address in place of a name is not looked up.
	if (!inside && isIP(host) !== 0 && isPrivate(host)) throw refusePrivate();
	const signal = AbortSignal.timeout(timeoutMs);
	try {
		return await new Promise<OutsideAnswer>((resolve, reject) => {
			const asked = (url.protocol === "https:" ? https : http).request(url, {
				method,
				headers: { "User-Agent": "Reloop", "Accept-Encoding": "identity", ...headers },
				signal,
				// A connection of its own: one that is kept was judged for somebody else's question.
				agent: false,
				...(inside ? {} : { lookup: publicLookup }),
			});
			asked.on("error", reject);
			asked.on("response", (answer) => read(answer, maxBytes).then(resolve, reject));
			asked.end(body);
		});
	} catch (error) {
		if (error instanceof OutsideError) throw error;
		if (signal.aborted) throw new OutsideError(`The server did not answer within ${timeoutMs} ms.`);
		throw new OutsideError(`The server was not reached (${String((error as { code?: unknown }).code ?? "no code")}).`);
	}
}

async function read(answer: IncomingMessage, maxBytes: number): Promise<OutsideAnswer> {
	const refuse = (why: string) => {
		answer.destroy();
		return new OutsideError(why);
	};
	// Small as it comes may be large as it is meant.
	if ((answer.headers["content-encoding"] ?? "identity") !== "identity") throw refuse("The answer is compressed, which nobody asked for.");
	const chunks: Buffer[] = [];
	let length = 0;
	for await (const chunk of answer as AsyncIterable<Buffer>) {
		length += chunk.length;
		if (length > maxBytes) throw refuse(`The answer is longer than ${maxBytes} bytes.`);
		chunks.push(chunk);
	}
	return { status: answer.statusCode as number, headers: answer.headers, body: Buffer.concat(chunks) };
}
