// The load of the read benchmark, in a process of its own: autocannon, one URL, so many connections.
import autocannon from "autocannon";
import { serve } from "../support/children.ts";

export interface ReadAsk {
	url: string;
	token: string;
	connections: number;
	seconds: number;
}

export interface ReadRound {
	/** Answers a second. */
	requests: number;
	/** Waits for the answer, in ms. */
	p50: number;
	p99: number;
	/** This process's share of one core. */
	load: number;
	/** Answers that were no 2xx, or none at all. */
	failed: number;
}

serve<ReadAsk, ReadRound>(async ({ url, token, connections, seconds }) => {
	const processor = process.cpuUsage();
	const began = performance.now();
	const result = await autocannon({ url, connections, duration: seconds, headers: { authorization: `Bearer ${token}` } });
	const passed = (performance.now() - began) / 1000;
	const { user, system } = process.cpuUsage(processor);
	return {
		requests: result["2xx"] / result.duration,
		p50: result.latency.p50,
		p99: result.latency.p99,
		load: (user + system) / 1e6 / passed,
		failed: result.non2xx + result.errors + result.timeouts,
	};
});
