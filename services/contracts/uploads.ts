// What the catalog node offers of pictures: taking them in, showing them, and saying of one whose it is.
import { internal, published } from "./contract.ts";
import { array, bool, defaulted, int, object, oneOf, optional, text, uuid } from "./schema.ts";
import type { Infer } from "./schema.ts";

/** What a picture is kept as; whatever else comes is refused. */
export const pictureType = oneOf("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif");
/** The longest side of each size in pixels; a smaller picture stays as it is. */
export const PICTURE_SIZES = { small: 160, medium: 640, large: 1600 } as const;
export type PictureSize = keyof typeof PICTURE_SIZES;
export const pictureSize = oneOf("small", "medium", "large");

const link = text(1, 2048);
/** A picture as clients get it, wherever one is shown (mixins/pictures.ts makes it): `url` is the largest there is. */
export const picture = object({ id: uuid, url: link, sizes: object({ small: link, medium: link, large: link }) });
export type Picture = Infer<typeof picture>;

/** What other nodes keep of a picture: they send its id, and nothing else of it ever changes. Width and height are those of `url`. */
export const described = object({ id: uuid, type: pictureType, width: int(1), height: int(1) });
export type Described = Infer<typeof described>;

export const upload = object({ ...picture.props, type: pictureType, width: int(1), height: int(1) });
export type Upload = Infer<typeof upload>;

/** An upload on its way: its pieces are kept until it is made a picture of. */
const staged = { staged: uuid };
/** A size of a picture, by a link that `picture` has made (mixins/pictures.ts). `until`: seconds since 1970; without it the link never ends. */
const shown = { uploadId: uuid, size: pictureSize, until: optional(int(0)), signature: defaulted(text(0, 100), "") };
/** Half a megabyte in base64. */
const bytes = text(0, 900_000);

export const actions = {
	...published({
		"uploads.create": {
			summary: "Send a picture: JPEG, PNG, WebP, GIF or AVIF, up to 10 MB and 50 megapixels.",
			description:
				"What it is is found out by its content. It is written anew without metadata, upright, in sRGB and as its first frame, in three sizes. `url` is the largest, `width` and `height` are its. What nothing shows for a day is deleted.",
			params: { ...staged, parts: int(1, 100) },
			answer: upload,
			errors: ["unsupported-media-type", "too-large", "broken-picture", "too-many-pixels", "infected", "upload-limit"],
		},
		"uploads.show": {
			summary: "One of the account's own pictures, with links that are good for some hours more.",
			params: { uploadId: uuid },
			answer: upload,
			errors: ["not-found"],
			repeatable: true,
		},
		"uploads.file": {
			summary: "A picture, for whoever has a link: as an answer that showed it gave it, and as long as that said.",
			params: shown,
			answer: object({
				...{ name: text(1, 100), type: pictureType, size: int(0), parts: int(0) },
				...{ inline: bool, etag: text(1, 100), cache: text(1, 100) },
			}),
			errors: ["forbidden", "not-found"],
			repeatable: true,
		},
	}),
	...internal({
		"uploads.begin": {
			summary: "Doors: the caller is about to send a file. Refuses who has sent too much, before anything of it is read.",
			params: {},
			answer: object(staged),
			errors: ["rate-limited", "upload-limit"],
		},
		"uploads.piece": {
			summary: "Doors: a piece of it.",
			params: { ...staged, no: int(0, 99), bytes },
			answer: object({}),
			errors: ["rate-limited", "unsupported-media-type"],
			repeatable: true,
		},
		"uploads.drop": { summary: "Doors: it will not be whole.", params: staged, answer: object({}), repeatable: true },
		"uploads.part": {
			summary: "Doors: a piece of a picture, in base64.",
			params: { ...shown, part: int(0) },
			answer: object({ bytes }),
			errors: ["forbidden", "not-found"],
			repeatable: true,
		},
		"uploads.describe": {
			summary:
				"Nodes that keep pictures: what these are, in the order asked. One that is unknown, or not the owner's (a profile, or an account with all its profiles), is 422 `validation` with the path `ids/<n>`.",
			params: { ids: array(uuid, { min: 1, max: 10 }), ownerId: uuid },
			answer: object({ pictures: array(described) }),
			errors: ["validation"],
			repeatable: true,
		},
	}),
};
