// Pictures in answers. A node keeps a picture's id (with type, width and height, where it shows them), never bytes and never links:
// links are made where a picture is shown, by any process, without asking anybody. The catalog node checks them where it serves.
//
//   const [kept] = await describePictures(ctx, "attachments", ids);     // 422 where one is not the caller's own
//   avatar: picture(ctx.broker, avatarId, { open: true }, new Date())   // for everybody who has the link, for good
//   picture(ctx.broker, id, { open: false }, new Date())                // for whoever has the link, for some hours
import { createHmac, timingSafeEqual } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { isProblem, problem } from "../services/contracts/errors.ts";
import type { Ctx } from "../services/contracts/index.ts";
import type { Described, Picture } from "../services/contracts/uploads.ts";
import { perBroker } from "./per-broker.ts";
import { keyFor } from "./secret.ts";
import { settings } from "./settings.ts";

/** A signed link is good for six to twelve hours: it ends with the next but one of these, so that meanwhile it stays the same. */
const WINDOW_SECONDS = 6 * 3_600;

const signer = perBroker((broker) => {
	const { SECRET_KEY, PUBLIC_URL } = settings(broker);
	const key = keyFor(SECRET_KEY, "links of pictures");
	return { base: `${PUBLIC_URL}/api/uploads/`, sign: (text: string) => createHmac("sha256", key).update(text).digest("base64url") };
});

/** What is signed: the picture, and when the link ends; one signature is for all its sizes. */
const signed = (id: string, until: number | undefined): string => (until === undefined ? `open ${id}` : `${until} ${id}`);

/** A picture as it is shown. `open`: its link never ends; it is for pictures that somebody shows to everybody. */
export function picture(broker: ServiceBroker, id: string, { open }: { open: boolean }, now: Date): Picture {
	const { base, sign } = signer(broker);
	const until = open ? undefined : (Math.floor(now.getTime() / 1000 / WINDOW_SECONDS) + 2) * WINDOW_SECONDS;
	const query = `?${until === undefined ? "" : `until=${until}&`}signature=${sign(signed(id, until))}`;
	const link = (size: string) => `${base}${id}/${size}${query}`;
	const large = link("large");
	return { id, url: large, sizes: { small: link("small"), medium: link("medium"), large } };
}

/** Was this link made by one of ours? Whether it has ended is another question. `until` in seconds since 1970. */
export function isSigned(broker: ServiceBroker, id: string, until: number | undefined, signature: string): boolean {
	const expected = Buffer.from(signer(broker).sign(signed(id, until)));
	const given = Buffer.from(signature);
	return expected.length === given.length && timingSafeEqual(expected, given);
}

/**
 * What these uploads are, in the order asked: at most 10, and all of them the caller's own, or `ownerId`'s (a profile, or an account
 * with all its profiles). Throws 422 `validation` with the path `field[n]`; with `single`, `field`.
 */
export async function describePictures(
	ctx: Pick<Ctx, "call" | "caller">,
	field: string,
	ids: readonly string[],
	{ ownerId = ctx.caller.profileId, single = false }: { ownerId?: string; single?: boolean } = {},
): Promise<Described[]> {
	if (ids.length === 0) return [];
	try {
		return (await ctx.call("uploads.describe", { ids: [...ids], ownerId })).pictures;
	} catch (error) {
		if (!isProblem(error, "validation")) throw error;
		const named = (path: string) => path.replace(/^ids\/(\d+)$/, single ? field : `${field}[$1]`);
		throw problem("validation", { errors: error.data.errors?.map(({ path, ...rest }) => ({ ...rest, path: named(path) })) ?? [] });
	}
}
