// JetStream as the carrier: each node's facts in a stream of its own, from which every consumer fetches into its inbox.
//
// PostgreSQL is what counts: the relay remembers the stream and its last number in the node's database, and each message says
// after which number it comes. So a stream that was wiped, or lost its end, takes nothing before it has been filled again from
// the outbox, and two relays that meet cannot mix their portions. See config/decisions/0011.
import type { JetStreamManager, Msg } from "nats";
import { createInbox, headers } from "nats";
import type { Nats } from "../nats.ts";
import { database } from "../postgres.ts";
import type { Tx } from "../postgres.ts";
import type { Carrier, Inlet, Portion, Source } from "./carrier.ts";
import type { Told } from "./marks.ts";
import { saveTold, toldMark } from "./marks.ts";
import type { OutboxRow } from "./outbox.ts";
import { factsBetween, rowsSince, sentSince, unsentFacts } from "./outbox.ts";
import { StreamSource } from "./stream-source.ts";
import {
	beginAnew,
	beginningOf,
	hasHoles,
	hintOf,
	identityOf,
	JETSTREAM_AWAY,
	KEEP_DAYS,
	streamFor,
	streamOf,
	subjectOf,
	tellerOf,
	whileConnected,
} from "./streams.ts";

export interface JetStreamOptions {
	/** Servers that keep each fact. */
	replicas: number;
	/** Hears of what an operator should know. */
	say(sentence: string, more: object): void;
}

/** A stream that loses its facts while we are connected (an operator removed it) is noticed after so long (ms) at the latest. */
const LOOK_EVERY = 30_000;
const ACK_LIMIT = 5_000;
/** JetStream's "wrong last sequence": the stream does not end where the message must be put. */
const WRONG_PLACE = 10_071;

interface Acknowledgement {
	seq?: number;
	error?: { err_code?: number; description?: string };
}

/** The stream still knows, for its window, what it has lost, and would take that for messages that come twice. */
const idOf = ({ id }: OutboxRow, { created, refillUntil }: Told): string => (refillUntil === null ? id : id + beginningOf(created));
const bodyOf = ({ row: _row, ...fact }: OutboxRow): string => JSON.stringify(fact);

export class JetStreamCarrier implements Carrier {
	readonly #nats: Nats;
	readonly #options: JetStreamOptions;
	readonly #manager: Promise<JetStreamManager>;
	/** When each node's stream was looked at; forgotten with the connection. */
	readonly #looked = new Map<string, number>();
	/** What `next` found for `deliver`, which follows it under the same lock. */
	readonly #marks = new Map<string, Told>();

	constructor(nats: Nats, options: JetStreamOptions) {
		this.#nats = nats;
		this.#options = options;
		this.#manager = nats.connection.jetstreamManager({ checkAPI: false });
		nats.onReconnect(() => this.#looked.clear());
	}

	register(node: string, consumer: string, types: ReadonlySet<string>, inlet: Inlet): Source[] {
		const { replicas } = this.#options;
		return [...Map.groupBy(types, tellerOf)].map(
			([teller, heard]) =>
				new StreamSource({
					nats: this.#nats,
					manager: this.#manager,
					replicas,
					db: database(node),
					node,
					consumer,
					teller,
					types: heard,
					inlet,
				}),
		);
	}

	onBack(listener: () => void): () => void {
		return this.#nats.onReconnect(listener);
	}

	async next(tx: Tx, node: string, limit: number): Promise<Portion> {
		if (!this.#nats.connected) throw new Error("NATS is away.");
		// Together: one way to the database and back.
		const [told, unsent] = await Promise.all([toldMark(tx, streamOf(node)), unsentFacts(tx, limit)]);
		let mark = told;
		const looked = this.#looked.get(node) ?? Number.NEGATIVE_INFINITY;
		if (!mark || performance.now() - looked > LOOK_EVERY) mark = await this.#look(tx, node, mark);
		let refilled = false;
		if (mark.refillAfter !== null && mark.refillUntil !== null) {
			const rows = await factsBetween(tx, mark.refillAfter, mark.refillUntil, limit);
			if (rows.length > 0) {
				this.#marks.set(node, mark);
				return { rows, more: true };
			}
			refilled = true;
			mark = { ...mark, refillAfter: null, refillUntil: null };
			await saveTold(tx, streamOf(node), mark);
		}
		this.#marks.set(node, mark);
		// Of what was unsent before it was filled again nothing is left.
		return refilled ? { rows: await unsentFacts(tx, limit), more: true } : { rows: unsent, more: unsent.length === limit };
	}

	async deliver(tx: Tx, node: string, rows: OutboxRow[]): Promise<boolean> {
		let mark = this.#marks.get(node);
		if (!mark) throw new Error("deliver() follows next().");
		try {
			let lastSeq = await whileConnected(this.#nats, this.#putAll(rows, mark));
			if (lastSeq === undefined) {
				const { created } = mark;
				mark = await this.#look(tx, node, mark);
				if (mark.created !== created) return false;
				lastSeq = await whileConnected(this.#nats, this.#putEach(rows, mark));
			}
			// Before this is committed: those who fetch need not wait for that.
			this.#nats.connection.publish(hintOf(node));
			const last = rows.at(-1)?.row ?? 0;
			await saveTold(tx, streamOf(node), { ...mark, lastSeq, refillAfter: mark.refillUntil === null ? null : last });
		} catch (error) {
			this.#looked.set(node, Number.NEGATIVE_INFINITY);
			throw error;
		}
		return true;
	}

	/**
	 * Puts a portion at the stream's end without waiting between them; answers where it ends then, or undefined: not all could be
	 * put in their places. (By hand, since a request of the client for each costs three times as much.)
	 */
	#putAll(rows: OutboxRow[], mark: Told): Promise<number | undefined> {
		const { connection } = this.#nats;
		const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
		const inbox = createInbox();
		let awaited = rows.length;
		let lastSeq = mark.lastSeq;
		let misplaced = false;
		const acknowledged = (error: Error | null, message: Msg) => {
			if (error ?? message.headers?.hasError) return reject(error ?? new Error(JETSTREAM_AWAY));
			const ack = message.json<Acknowledgement>();
			if (ack.error?.err_code === WRONG_PLACE) misplaced = true;
			else if (ack.error) reject(new Error(`JetStream refuses a fact: ${ack.error.description}.`));
			else lastSeq = Math.max(lastSeq, ack.seq ?? 0);
			if (--awaited === 0) resolve(misplaced ? undefined : lastSeq);
		};
		const acks = connection.subscribe(inbox, { callback: acknowledged });
		const late = setTimeout(() => reject(new Error("JetStream has not acknowledged a portion of facts.")), ACK_LIMIT);
		for (const [index, row] of rows.entries()) {
			const head = headers();
			head.set("Nats-Msg-Id", idOf(row, mark));
			head.set("Nats-Expected-Last-Sequence", String(mark.lastSeq + index));
			try {
				connection.publish(subjectOf(row.type), bodyOf(row), { headers: head, reply: inbox });
			} catch (error) {
				// Too large, or the connection is closed.
				reject(new Error(`The fact ${row.id} cannot be put into JetStream: ${String(error)}`, { cause: error }));
				break;
			}
		}
		return promise.finally(() => {
			clearTimeout(late);
			acks.unsubscribe();
		});
	}

	/** The same one by one: for a portion of which some are there already, since whoever put them did not live to mark them. */
	async #putEach(rows: OutboxRow[], mark: Told): Promise<number> {
		let last = mark.lastSeq;
		for (const row of rows) {
			const { seq, duplicate } = await this.#nats.connection
				.jetstream()
				.publish(subjectOf(row.type), bodyOf(row), { msgID: idOf(row, mark), timeout: ACK_LIMIT, expect: { lastSequence: last } });
			if (!duplicate) last = seq;
		}
		return last;
	}

	/**
	 * Holds the stream against what is remembered of it. One that is not as we left it begins anew, and its consumers with it; it
	 * is filled again with all it would have kept. Inboxes know what they have.
	 */
	async #look(tx: Tx, node: string, mark: Told | undefined): Promise<Told> {
		const manager = await this.#manager;
		const { replicas, say } = this.#options;
		let stream = await whileConnected(this.#nats, streamFor(manager, node, replicas));
		if (stream.config.num_replicas !== replicas) await manager.streams.update(streamOf(node), { num_replicas: replicas });
		const { last_seq, messages } = stream.state;
		const ours = mark?.created === identityOf(stream);
		const whole = ours && mark.lastSeq <= last_seq && !hasHoles(stream) && (await this.#holds(tx, node, mark, messages));
		this.#looked.set(node, performance.now());
		if (whole) return { ...mark, lastSeq: last_seq };
		if (mark)
			say("A stream of facts has lost some: it is filled again from the outbox.", {
				stream: streamOf(node),
				was: mark.lastSeq,
				is: last_seq,
			});
		if (ours || last_seq > 0) stream = await beginAnew(manager, node);
		const range = await rowsSince(tx, daysAgo(KEEP_DAYS));
		const made: Told = {
			created: identityOf(stream),
			lastSeq: stream.state.last_seq,
			refillAfter: range?.after ?? null,
			refillUntil: range?.until ?? null,
		};
		await saveTold(tx, streamOf(node), made);
		return made;
	}

	/** Whether so many messages can be all that was sent: a count of many rows, so only once in each connection. */
	async #holds(tx: Tx, node: string, mark: Told, messages: number): Promise<boolean> {
		if (this.#looked.has(node) || mark.refillUntil !== null) return true;
		// A day less than it keeps: what is about to be forgotten is not missed.
		return (await sentSince(tx, daysAgo(KEEP_DAYS - 1))) <= messages;
	}
}

const daysAgo = (days: number): Date => new Date(Date.now() - days * 86_400_000);
