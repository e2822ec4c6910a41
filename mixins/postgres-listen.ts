// LISTEN: notifications of PostgreSQL, over a connection to the server itself.
import pg from "pg";
import type { Listener } from "./postgres.ts";
import { failed } from "./postgres-errors.ts";

const RELISTEN_FIRST_MS = 50;
const RELISTEN_MOST_MS = 2_000;

/** One connection per node for all its channels, made when the first channel is wanted and made again when it is lost. */
export class Listeners {
	readonly #url: string;
	readonly #node: string;
	readonly #report: (error: unknown, where: string) => void;
	readonly #channels = new Map<string, Set<Listener>>();
	#client: pg.Client | undefined;
	#connecting: Promise<void> | undefined;
	#retry: NodeJS.Timeout | undefined;
	#pause = RELISTEN_FIRST_MS;
	#ended = false;

	constructor(url: string, node: string, report: (error: unknown, where: string) => void) {
		this.#url = url;
		this.#node = node;
		this.#report = report;
	}

	async add(channel: string, listener: Listener): Promise<() => Promise<void>> {
		const fresh = !this.#channels.has(channel);
		const of = this.#channels.get(channel) ?? new Set();
		this.#channels.set(channel, of.add(listener));
		const remove = async () => {
			of.delete(listener);
			if (of.size > 0 || this.#channels.get(channel) !== of) return;
			this.#channels.delete(channel);
			await this.#client?.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => {});
		};
		try {
			if (!this.#client) await this.#connect();
			else {
				if (fresh) await this.#client.query(`listen ${pg.escapeIdentifier(channel)}`);
				listener(null);
			}
		} catch (error) {
			await remove();
			return failed(error);
		}
		return remove;
	}

	async end(): Promise<void> {
		this.#ended = true;
		clearTimeout(this.#retry);
		await this.#connecting?.catch(() => {});
		const client = this.#client;
		this.#client = undefined;
		await client?.end().catch(() => {});
	}

	#connect(): Promise<void> {
		this.#connecting ??= this.#make().finally(() => {
			this.#connecting = undefined;
		});
		return this.#connecting;
	}

	async #make(): Promise<void> {
		const settings: pg.ClientConfig & { pipeline: boolean } = {
			connectionString: this.#url,
			application_name: `reloop ${this.#node} listen`,
			connectionTimeoutMillis: 5_000,
			keepAlive: true,
			pipeline: true,
		};
		const client = new pg.Client(settings);
		client.on("error", () => {});
		try {
			await client.connect();
			client.on("notification", ({ channel, payload }) => this.#tell(channel, payload ?? ""));
			for (const channel of this.#channels.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
		} catch (error) {
			client.end().catch(() => {});
			this.#later();
			return failed(error);
		}
		client.once("end", () => this.#lost(client));
		this.#client = client;
		this.#pause = RELISTEN_FIRST_MS;
		for (const channel of this.#channels.keys()) this.#tell(channel, null);
	}

	#lost(client: pg.Client): void {
		if (this.#client !== client) return;
		this.#client = undefined;
		this.#report(new Error("The listening connection was lost."), `${this.#node}: listening again`);
		this.#later();
	}

	#later(): void {
		if (this.#ended || this.#channels.size === 0) return;
		clearTimeout(this.#retry);
		this.#retry = setTimeout(() => this.#connect().catch(() => {}), this.#pause);
		this.#pause = Math.min(this.#pause * 2, RELISTEN_MOST_MS);
	}

	#tell(channel: string, payload: string | null): void {
		for (const listener of this.#channels.get(channel) ?? []) {
			try {
				listener(payload);
			} catch (error) {
				this.#report(error, `${this.#node}: a listener of ${channel} failed`);
			}
		}
	}
}
