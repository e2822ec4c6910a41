// Waiting for a thing instead of for a time.

/**
 * Tries until it answers without throwing, at most `limitMs`; then throws what it threw last. For effects that come
 * a moment later: facts, frames, closed sockets.
 */
export async function eventually<T>(check: () => T | Promise<T>, limitMs = 10_000): Promise<T> {
	// Not Date: tests turn that clock.
	const until = performance.now() + limitMs;
	for (;;) {
		try {
			return await check();
		} catch (error) {
			if (performance.now() > until) throw error;
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}
}
