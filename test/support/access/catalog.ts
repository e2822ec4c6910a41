// Pictures.
import { anyPicture, formOf, uploadOf } from "../pictures.ts";
import type { Cases } from "./case.ts";

/** Where a link leads; what it is signed with is part of it. */
async function linked(url: string, who: { accessToken: string; get(path: string): Promise<{ body: { url: string } }> }) {
	const { body } = await who.get(`/api/uploads/${await uploadOf(url, who)}`);
	const { pathname, searchParams } = new URL(body.url);
	const [, , , uploadId, size] = pathname.split("/");
	return { uploadId, size, ...Object.fromEntries(searchParams) };
}

export const catalog: Cases = {
	"POST /api/uploads": { any: async () => ({ form: formOf(await anyPicture()) }) },
	"GET /api/uploads/:uploadId": {
		own: async (me, _other, url) => ({ uploadId: await uploadOf(url, me) }),
		foreign: async (_me, other, url) => ({ uploadId: await uploadOf(url, other) }),
	},
	"GET /api/uploads/:uploadId/:size": {
		"with a link": async (_me, other, url) => linked(url, other),
		"without a link": async (_me, other, url) => ({ uploadId: await uploadOf(url, other), size: "large" }),
	},
};
