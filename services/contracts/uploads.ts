// What the catalog node offers of pictures: taking them in, showing them, and saying of one whose it is.
import { internal, published } from "./contract.ts";
import { array, int, object, oneOf, text, uuid } from "./schema.ts";
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

export const actions = {
	...published({
		"uploads.show": {
			summary: "One of the account's own pictures, with links that are good for some hours more.",
			params: { uploadId: uuid },
			answer: upload,
			errors: ["not-found"],
			repeatable: true,
		},
	}),
	...internal({
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
