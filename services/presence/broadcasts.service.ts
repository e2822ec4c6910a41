// What operators tell many people at once.
import { once, service } from "../../mixins/node.ts";
import { problem } from "../contracts/errors.ts";
import type { Params } from "../contracts/index.ts";
import { presenceWork } from "./broadcast/work.ts";
import type { Broadcast } from "./broadcast/work.ts";
import { isArea } from "./domain/area.ts";

/** Of `data`, as JSON: it goes into every inbox, and onto every device. */
const MOST_DATA_BYTES = 2_000;

const wrong = (path: string, code: string, message: string) => problem("validation", { errors: [{ path, code, message }] });

/** Throws 422 where nothing is said, or two things are. */
function whatIsSaid({ title, body, texts, data = {} }: Pick<Params<"broadcasts.send">, "title" | "body" | "texts" | "data">) {
	if (Buffer.byteLength(JSON.stringify(data)) > MOST_DATA_BYTES)
		throw wrong("data", "size", `must be at most ${MOST_DATA_BYTES} bytes of JSON`);
	if (texts) {
		const both = title !== undefined ? "title" : "body";
		if (title !== undefined || body !== undefined) throw wrong(both, "unknown", "is not beside `texts`");
		return { texts: texts as Broadcast["texts"], data };
	}
	if (title === undefined) throw wrong("title", "required", "is missing");
	if (body === undefined) throw wrong("body", "required", "is missing");
	return { texts: { en: { title, body } }, data };
}

export default service("broadcasts", {
	actions: {
		send(ctx, { db }) {
			const said = whatIsSaid(ctx.params);
			const profileIds = [...new Set(ctx.params.profileIds)];
			return once(ctx, db, (tx) => {
				const work = { ...said, whom: { profileIds }, before: new Date().toISOString() };
				return presenceWork.begin(tx, ctx, "notifications.send", work, { total: profileIds.length });
			});
		},

		broadcast(ctx, { db }) {
			const { role, area } = ctx.params;
			const said = whatIsSaid(ctx.params);
			if (area !== undefined && !isArea(area))
				throw wrong("area", "unknown", "must be a time zone such as Europe/Lisbon, or the beginning of some, such as Europe");
			return once(ctx, db, (tx) => {
				const whom = { ...(role === undefined ? {} : { role }), ...(area === undefined ? {} : { area }) };
				return presenceWork.begin(tx, ctx, "notifications.broadcast", { ...said, whom, before: new Date().toISOString() });
			});
		},
	},
});
