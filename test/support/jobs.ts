// A node of tests that has jobs: `notes`, in a database where its jobs write down what they did.
import type { Middleware, ServiceSchema } from "moleculer";
import { ServiceBroker } from "moleculer";
import type { Env } from "../../config/env.ts";
import type { Jobs, Tasks } from "../../mixins/jobs/index.ts";
import type { Db } from "../../mixins/postgres.ts";
import { provideSettings } from "../../mixins/settings.ts";
import { servicesWith } from "./nodes.ts";

export const NODE = "notes";

export const notesServices = (): string =>
	servicesWith({
		[NODE]: {
			"0001_notes":
				"-- parts: jobs\n-- Up Migration\ncreate table done (id bigint generated always as identity, what text not null, at timestamptz not null);\n" +
				"-- Down Migration\ndrop table done;\n",
		},
	});

export const note = (db: Db, what: string, at = new Date()) => db.query("insert into done (what, at) values ($1, $2)", [what, at]);

/** What jobs have written down, in their order. */
export const noted = async (db: Db): Promise<string[]> =>
	(await db.query<{ what: string }>("select what from done order by id")).map(({ what }) => what);

export interface Process {
	broker: ServiceBroker;
	/** What it has logged, at `info` or above. */
	lines: string[];
}

/** A process that runs the node, as far as one broker is. */
export async function startProcess<T extends Tasks>(
	jobs: Jobs<T>,
	{ tool = false, services = [] }: { tool?: boolean; services?: ServiceSchema[] } = {},
): Promise<Process> {
	const lines: string[] = [];
	const listens: Middleware = {
		newLogEntry(level: string, args: unknown[]) {
			if (level !== "debug" && level !== "trace") lines.push(`${level} ${args.map((arg) => JSON.stringify(arg)).join(" ")}`);
		},
	};
	const broker = new ServiceBroker({ logger: false, middlewares: [listens], skipProcessEventRegistration: true });
	provideSettings(broker, {} as Env, { tool });
	broker.createService({ name: NODE, mixins: [jobs.mixin] });
	for (const service of services) broker.createService(service);
	await broker.start();
	return { broker, lines };
}
