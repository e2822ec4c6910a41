// A packet that is larger than NATS takes goes in parts: an answer of many events. Parts come in order, and whole or not at all.
import { randomUUID } from "node:crypto";
import type { Msg, NatsConnection } from "nats";
import { headers } from "nats";

/** The header that says which packet a part belongs to, and whether it is the last. */
const PART = "Reloop-Part";
/** Bytes left for the headers of a part. */
const PART_HEADROOM = 1_024;
/** Packets whose last part has not come; more than that, and the oldest is given up. */
const UNFINISHED = 64;

/** Sends a packet, in as many parts as it takes. */
export function publish(connection: NatsConnection, topic: string, data: Buffer): void {
	const most = (connection.info?.max_payload ?? 1_048_576) - PART_HEADROOM;
	if (data.length <= most) {
		connection.publish(topic, data);
		return;
	}
	const id = randomUUID();
	for (let from = 0; from < data.length; from += most) {
		const head = headers();
		head.set(PART, `${id} ${from + most >= data.length ? "last" : "more"}`);
		connection.publish(topic, data.subarray(from, from + most), { headers: head });
	}
}

/** Reads the messages of one subscription: answers a packet when it is whole. */
export function reader(): (message: Msg) => Buffer | undefined {
	const parts = new Map<string, Buffer[]>();
	return (message) => {
		const data = Buffer.from(message.data.buffer, message.data.byteOffset, message.data.byteLength);
		const part = message.headers?.get(PART);
		return part ? gather(parts, part, data) : data;
	};
}

/** Adds a part; answers the whole when it was the last. What was never finished makes room for others. */
function gather(parts: Map<string, Buffer[]>, part: string, data: Buffer): Buffer | undefined {
	const [id = "", which] = part.split(" ");
	const before = parts.get(id) ?? [];
	before.push(Buffer.from(data));
	parts.set(id, before);
	if (which !== "last") {
		if (parts.size > UNFINISHED) parts.delete(parts.keys().next().value as string);
		return undefined;
	}
	parts.delete(id);
	return Buffer.concat(before);
}
