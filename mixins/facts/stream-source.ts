// One consumer's way from one node's stream into its inbox. Of several processes one fetches at a time (a transaction lock), and how
// far it came is written in the transaction of the inbox: a durable that has handed out anything else is made again from there. So
// facts enter an inbox in the stream's order and none is passed over, whoever dies when, and whichever store forgets something.
import type { ConsumerInfo, JetStreamManager, Msg, NatsConnection } from "nats";
import { AckPolicy, createInbox, DeliverPolicy, nanos } from "nats";
import type { Nats } from "../nats.ts";
import type { Db, Tx } from "../postgres.ts";
import type { Inlet, Source } from "./carrier.ts";
import type { AnyFact } from "../../services/contracts/index.ts";
import type { Heard } from "./marks.ts";
import { heardMark, saveHeard } from "./marks.ts";
import { found, hintOf, identityOf, streamFor, streamOf, subjectOf, whileConnected } from "./streams.ts";

export interface StreamSourceOptions {
	nats: Nats;
	manager: Promise<JetStreamManager>;
	replicas: number;
	/** The hearing node's. */
	db: Db;
	node: string;
	consumer: string;
	/** The node that tells. */
	teller: string;
	/** The facts of that node which the consumer hears. */
	types: string[];
	inlet: Inlet;
}

const PORTION = 500;
/** Another process fetches at the moment: look again soon (ms). */
const BUSY_RETRY = 100;
const FETCH_LIMIT = 2_000;
const ACK_WAIT = 30_000;
/** A durable that hears more than we know belongs to a newer version of us; if it has let facts lie for so long (ms), to nobody. */
const ABANDONED_AFTER = 60_000;

export class StreamSource implements Source {
	readonly #options: StreamSourceOptions;
	readonly #stream: string;
	readonly #durable: string;
	readonly #subjects: string[];

	constructor(options: StreamSourceOptions) {
		this.#options = options;
		this.#stream = streamOf(options.teller);
		this.#durable = `${options.node}-${options.consumer}`;
		this.#subjects = options.types.map(subjectOf).sort();
	}

	listen(wake: () => void): () => void {
		const { nats, teller } = this.#options;
		const hints = nats.connection.subscribe(hintOf(teller), { callback: wake });
		const stop = nats.onReconnect(wake);
		return () => {
			stop();
			hints.unsubscribe();
		};
	}

	async work(): Promise<number | null> {
		const { nats, db, inlet } = this.#options;
		if (!nats.connected) throw new Error("NATS is away.");
		return db.tx(async (tx) => {
			const manager = await this.#options.manager;
			// One after the other at the database, and only once on the way there. The commit need not wait for the disk: what is
			// lost of the inbox is lost of the mark, and fetched again.
			const [[lock], heard] = await Promise.all([
				tx.query<{ mine: boolean }>(
					"select pg_try_advisory_xact_lock(hashtextextended($1, 2)) as mine, set_config('synchronous_commit', 'off', true)",
					[`${this.#durable}:${this.#stream}`],
					"source-lock",
				),
				heardMark(tx, this.#stream, this.#durable),
			]);
			if (!lock?.mine) return BUSY_RETRY;
			const durable = await whileConnected(nats, found(manager.consumers.info(this.#stream, this.#durable)));
			const place = await this.#place(tx, manager, heard, durable);
			if (!place || place.pending === 0) return null;
			const { mark, pending } = place;
			const fetched = await whileConnected(nats, fetch(nats.connection, this.#stream, this.#durable, Math.min(pending, PORTION)));
			const messages = inARow(fetched, mark.deliveries);
			const last = messages.at(-1);
			if (!last) throw new Error(`${this.#stream} has facts for ${this.#durable} and hands out none.`);
			const facts = messages.map(({ message }) => message.json<AnyFact>());
			await Promise.all([
				inlet(facts, tx),
				saveHeard(tx, this.#stream, this.#durable, { ...mark, lastSeq: last.seq, deliveries: last.delivery }),
			]);
			// For operators, who see by it how far we are; we do not rely on it.
			tx.afterCommit(() => last.message.respond());
			return pending > messages.length ? 0 : null;
		});
	}

	/** Where to go on: the durable as we left it, or one made again. Null: it is not ours to fetch. */
	async #place(
		tx: Tx,
		manager: JetStreamManager,
		mark: Heard | undefined,
		durable: ConsumerInfo | undefined,
	): Promise<{ mark: Heard; pending: number } | null> {
		const theirs = durable && subjectsOf(durable);
		const more = theirs?.some((subject) => !this.#subjects.includes(subject)) ?? false;
		const less = theirs !== undefined && this.#subjects.some((subject) => !theirs.includes(subject));
		if (durable && more && !less && !isAbandoned(durable)) return null;
		if (durable && mark && !more && !less && durable.created === mark.durableCreated && durable.delivered.consumer_seq === mark.deliveries)
			return { mark, pending: durable.num_pending };

		const stream = await streamFor(manager, this.#options.teller, this.#options.replicas);
		const created = identityOf(stream);
		const known = mark && !less && mark.created === created && mark.lastSeq <= stream.state.last_seq;
		const first = Math.max(known ? mark.lastSeq + 1 : 1, stream.state.first_seq);
		if (durable) await found(manager.consumers.delete(this.#stream, this.#durable));
		const made = await manager.consumers.add(this.#stream, {
			durable_name: this.#durable,
			filter_subjects: this.#subjects,
			ack_policy: AckPolicy.All,
			ack_wait: nanos(ACK_WAIT),
			max_ack_pending: -1,
			deliver_policy: DeliverPolicy.StartSequence,
			opt_start_seq: first,
		});
		const { consumer_seq, stream_seq } = made.delivered;
		if (consumer_seq !== 0 || stream_seq !== first - 1)
			throw new Error(`${this.#durable} was made anew and does not begin where it should.`);
		const fresh: Heard = { created, lastSeq: first - 1, durableCreated: made.created, deliveries: 0 };
		await saveHeard(tx, this.#stream, this.#durable, fresh);
		return { mark: fresh, pending: made.num_pending };
	}
}

const subjectsOf = ({ config: { filter_subjects, filter_subject } }: ConsumerInfo): string[] =>
	filter_subjects ?? (filter_subject ? [filter_subject] : []);

function isAbandoned({ num_pending, created, delivered, ts }: ConsumerInfo & { ts?: string }): boolean {
	// By the server's clock alone: ours may be another.
	const active = Date.parse((delivered as typeof delivered & { last_active?: string }).last_active ?? created);
	return num_pending > 0 && Date.parse(ts ?? created) - active > ABANDONED_AFTER;
}

interface Handed {
	message: Msg;
	/** Its number in the stream. */
	seq: number;
	/** Which one it is of those that the durable has handed out. */
	delivery: number;
}

/** What a message's reply subject says: `$JS.ACK.<stream>.<durable>.<times>.<seq>.<delivery>.<time>.<pending>`, or with two words more. */
function toHanded(message: Msg): Handed {
	const words = (message.reply ?? "").split(".");
	const at = words.length > 9 ? 7 : 5;
	return { message, seq: Number(words[at]), delivery: Number(words[at + 1]) };
}

/** Of what arrived, what follows the number without a gap: a message lost on its way must not be passed over. */
function inARow(messages: Msg[], after: number): Handed[] {
	const handed = messages.map(toHanded);
	const gap = handed.findIndex(({ delivery }, index) => delivery !== after + index + 1);
	return gap === -1 ? handed : handed.slice(0, gap);
}

/** Asks for messages that are there, so many, and answers those that come. (The client's own fetch never ends when the answer is lost.) */
function fetch(connection: NatsConnection, stream: string, durable: string, batch: number): Promise<Msg[]> {
	const { promise, resolve } = Promise.withResolvers<Msg[]>();
	const messages: Msg[] = [];
	const inbox = createInbox();
	const subscription = connection.subscribe(inbox, {
		callback: (error, message) => {
			// A header with a code is the server's word that no more comes.
			const ended = error !== null || (message.headers?.code ?? 0) > 0;
			if (!ended) messages.push(message);
			if (ended || messages.length === batch) done();
		},
	});
	const done = () => {
		clearTimeout(late);
		subscription.unsubscribe();
		resolve(messages);
	};
	const late = setTimeout(done, FETCH_LIMIT);
	connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`, JSON.stringify({ batch, no_wait: true }), { reply: inbox });
	return promise;
}
