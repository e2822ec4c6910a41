// What the door of a process without `api` answers: /live and /ready, and that nothing else is here.
import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServiceBroker } from "moleculer";
import { problem, toProblem } from "../services/contracts/errors.ts";
import type { Health } from "../services/contracts/health.ts";
import { door } from "./door.ts";
import { processHealth } from "./health.ts";

/** Answers probes at this process's door; where Socket.IO is attached, it keeps its own path. */
export function answerProbes(broker: ServiceBroker): void {
	const probes: Record<string, () => Health | Promise<Health>> = {
		"/live": () => ({ status: "ok" }),
		"/ready": () => processHealth(broker),
	};
	door(broker).onRequest(async ({ method = "GET", url = "/" }: IncomingMessage, res: ServerResponse) => {
		const path = url.split("?", 1)[0] as string;
		const probe = Object.hasOwn(probes, path) ? probes[path] : undefined;
		if (!probe) return refuse(res, path, "not-found");
		if (method !== "GET" && method !== "HEAD") {
			res.setHeader("Allow", "GET, HEAD");
			return refuse(res, path, "method-not-allowed");
		}
		const health = await probe();
		send(res, health.status === "down" ? 503 : 200, "application/json; charset=utf-8", health);
	});
}

function refuse(res: ServerResponse, path: string, code: "not-found" | "method-not-allowed"): void {
	// Whatever comes with it is not read.
	res.setHeader("Connection", "close");
	const wire = toProblem(problem(code), { instance: path, requestId: randomUUID() });
	send(res, wire.status, "application/problem+json", wire);
}

function send(res: ServerResponse, status: number, type: string, body: unknown): void {
	const text = JSON.stringify(body);
	res.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text), "Cache-Control": "no-store" });
	res.end(text);
}
