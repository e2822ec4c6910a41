// A process that runs the jobs of `notes` and never ends the one it has begun: for tests that kill it. With `end` it stops at once.
import { jobsOf } from "../../mixins/jobs/index.ts";
import { closeDatabases, configureDatabases, database } from "../../mixins/postgres.ts";
import { NODE, note, startProcess } from "./jobs.ts";

const [url = "", word] = process.argv.slice(2);
configureDatabases({ urlFor: () => url, directUrlFor: () => url });
const { broker } = await startProcess(
	jobsOf(NODE, {
		async hang({ id }: { id: string }) {
			await note(database(NODE), `${id} begun`);
			await new Promise(() => {});
		},
	}),
);
if (word === "end") {
	await broker.stop();
	await closeDatabases();
} else setInterval(() => {}, 60_000);
