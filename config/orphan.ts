// A signal to npm ends the shell between npm and us, which does not pass it on: what we notice is that we have another parent.
import { givenEnvironment } from "./env.ts";

const LOOK_MS = 250;

/** Calls `then` once when this process was started as `npm run <script>` and nobody is left who could end it. */
export function whenOrphaned(script: string, then: () => void): void {
	if (givenEnvironment().npm_lifecycle_event !== script) return;
	const parent = process.ppid;
	const timer = setInterval(() => {
		if (process.ppid === parent) return;
		clearInterval(timer);
		then();
	}, LOOK_MS);
	timer.unref();
}
