// A browser, as far as cookies go.
import { http } from "./client.ts";
import type { Reply } from "./client.ts";

/** Keeps what is set, and sends what the path asks for. */
export class Browser {
	readonly jar = new Map<string, { value: string; path: string }>();
	readonly url: string;

	constructor(url: string) {
		this.url = url;
	}
	take(reply: Reply): Reply {
		for (const line of reply.headers.getSetCookie()) {
			const [pair = "", ...rest] = line.split("; ");
			const [name = "", value = ""] = pair.split("=");
			const path = rest.find((part) => part.startsWith("Path="))?.slice(5) ?? "/";
			if (rest.includes("Max-Age=0")) this.jar.delete(name);
			else this.jar.set(name, { value, path });
		}
		return reply;
	}
	cookie(path: string): string {
		const sent = [...this.jar].filter(([, { path: of }]) => path.startsWith(of));
		return sent.map(([name, { value }]) => `${name}=${value}`).join("; ");
	}
	get csrf(): string {
		return this.jar.get("reloop_csrf")?.value ?? "";
	}
	/** The access token, which no page of it can read. */
	get token(): string {
		return this.jar.get("reloop_at")?.value ?? "";
	}
	async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
		const sent = { Cookie: this.cookie(path), ...headers };
		return this.take(await http(this.url, path, { method, body, headers: sent }));
	}
	/** As a page of ours does it: with the header. */
	post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
		this.ask("POST", path, body, { "X-CSRF-Token": this.csrf, ...headers });
}
