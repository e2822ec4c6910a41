// Who is at the other end: the socket's address, or, where that is a proxy we trust, what the proxy says.
import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";

/** Reads a request's client address. `trusted`: addresses or networks (`10.0.0.0/8`) whose X-Forwarded-For counts. */
export function addressReader(trusted: readonly string[]): (req: IncomingMessage) => string {
	const proxies = new BlockList();
	for (const entry of trusted) {
		const [address = "", bits] = entry.split("/");
		const family = isIP(address) === 6 ? "ipv6" : "ipv4";
		if (bits === undefined) proxies.addAddress(address, family);
		else proxies.addSubnet(address, Number(bits), family);
	}
	const isProxy = (address: string): boolean => trusted.length > 0 && proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

	return (req) => {
		let address = plain(req.socket.remoteAddress ?? "");
		const forwarded = req.headers["x-forwarded-for"];
		if (typeof forwarded !== "string" || !isProxy(address)) return address;
		// From the nearest hop outwards: the first address that is no proxy of ours is the client. What lies further out is
		// only what the client claims.
		for (const hop of forwarded.split(",").reverse()) {
			const next = plain(hop.trim());
			if (isIP(next) === 0) return address;
			address = next;
			if (!isProxy(address)) return address;
		}
		return address;
	};
}

/** An IPv4 address in IPv6 clothes is the same client. */
const plain = (address: string): string => (address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address);

/** What limits count by: whole /64 networks of IPv6, since one client has all of its addresses. */
export function limitKey(address: string): string {
	if (!address.includes(":")) return address;
	const [head = "", tail] = address.split("::");
	const groups = head === "" ? [] : head.split(":");
	const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
	return [...groups, ...new Array<string>(Math.max(0, missing)).fill("0"), ...(tail ? tail.split(":") : [])].slice(0, 4).join(":");
}
