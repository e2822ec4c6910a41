// A profile as it is shown: what is kept of its picture is an id, what is shown are links. Everybody may see it, so they do not end.
import type { ServiceBroker } from "moleculer";
import { picture } from "../../../mixins/pictures.ts";
import type { Profile } from "../../contracts/identity.ts";
import type { StoredProfile } from "../domain/profile.ts";

export const shownProfile = (broker: ServiceBroker, { avatar, ...profile }: StoredProfile): Profile => ({
	...profile,
	...(avatar && { avatar: picture(broker, avatar.id, { open: true }, new Date()) }),
});
