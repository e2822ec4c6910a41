// Many small questions at once as few large ones: when thousands come back in the same seconds, the store is asked for all
// of them together. Who asks alone does not wait.

/** Most keys in one question. */
const MOST = 500;

/**
 * Answers for one key at a time what `load` answers for many. What is asked while a question is under way goes out together
 * when it is answered; a question sees everything that was stored before it was asked. A key that `load` leaves out is undefined.
 */
export function batched<V>(
	load: (keys: string[]) => Promise<ReadonlyMap<string, V>>,
	most = MOST,
): (key: string) => Promise<V | undefined> {
	type Waiting = { resolve(value: V | undefined): void; reject(error: unknown): void };
	let waiting = new Map<string, Waiting[]>();
	let running = false;

	const run = async (): Promise<void> => {
		running = true;
		while (waiting.size > 0) {
			const portion = [...waiting].slice(0, most);
			if (portion.length === waiting.size) waiting = new Map();
			else for (const [key] of portion) waiting.delete(key);
			try {
				const found = await load(portion.map(([key]) => key));
				for (const [key, all] of portion) for (const { resolve } of all) resolve(found.get(key));
			} catch (error) {
				for (const [, all] of portion) for (const { reject } of all) reject(error);
			}
		}
		running = false;
	};

	return (key) =>
		new Promise((resolve, reject) => {
			const all = waiting.get(key) ?? [];
			all.push({ resolve, reject });
			waiting.set(key, all);
			// What was asked in the same turn goes together, too.
			if (!running) {
				running = true;
				setImmediate(() => void run());
			}
		});
}
