// The avatars of people, as they are now, shown beside their names; links to them are open, as wherever a profile is shown.
import type { ServiceBroker } from "moleculer";
import { picture } from "../../../mixins/pictures.ts";
import type { Db } from "../../../mixins/postgres.ts";
import type { Picture } from "../../contracts/uploads.ts";
import { avatarsOf } from "../store/profiles.ts";

/** What is added to a profile's name; nothing where there is no avatar. */
export interface Face {
	avatar?: Picture;
}
export type Faces = (profileId: string) => Face;

export async function facesOf(db: Db, broker: ServiceBroker, profileIds: Iterable<string>): Promise<Faces> {
	const ids = [...new Set(profileIds)];
	const avatars = ids.length > 0 ? await avatarsOf(db, ids) : [];
	const now = new Date();
	const faces = new Map(avatars.map(({ profileId, avatar }) => [profileId, { avatar: picture(broker, avatar, { open: true }, now) }]));
	return (profileId) => faces.get(profileId) ?? {};
}
