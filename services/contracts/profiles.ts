// What the identity node offers of the faces of an account: making, changing, finding and deleting profiles, and going on as another.
import { factTable, published, signalTable } from "./contract.ts";
import { displayName, profile, profileKind, tokens } from "./identity.ts";
import { list, nullable, object, oneOf, optional, page, text, time, uuid } from "./schema.ts";

const id = { profileId: uuid };
const ofAccount = { accountId: uuid, profileId: uuid };

export const actions = {
	...published({
		"profiles.list": {
			summary: "The caller's own profiles; with `q` or `kind` the public part of everybody's, newest first.",
			description:
				"`q` is found anywhere in a display name; upper and lower case, accents and the like make no difference. E-mail addresses are neither searched nor shown.",
			params: { q: optional(text(1, 100)), kind: optional(profileKind), ...page },
			answer: list(profile),
			repeatable: true,
		},
		"profiles.me": { summary: "The profile that the token speaks for.", params: {}, answer: profile, repeatable: true },
		"profiles.show": { summary: "The public part of a profile.", params: id, answer: profile, repeatable: true },
		"profiles.create": {
			summary: "Make one more profile of the account. Employees are made by accepting a worker's invitation, not here.",
			params: { displayName, kind: oneOf("consumer", "organization") },
			answer: profile,
			errors: ["profile-limit"],
		},
		"profiles.update": {
			summary: "Change one of the account's own profiles. `bio: null` and `avatar: null` take them away.",
			description: "`avatar` is the id of a picture that the account has sent (`POST /api/uploads`); everybody sees it.",
			params: { ...id, displayName: optional(displayName), bio: optional(nullable(text(0, 500))), avatar: optional(nullable(uuid)) },
			answer: profile,
			repeatable: true,
		},
		"profiles.remove": {
			summary: "Delete one of the account's own profiles, but neither the last nor the active one. Its tokens and sockets end.",
			params: id,
			answer: object({}),
			errors: ["last-profile", "active-profile"],
		},
		"profiles.switch": {
			summary: "Go on as another profile of the account, in the same session: its tokens. The session remembers the profile.",
			description:
				"The refresh token of before is good until the new one is used. Access tokens and sockets of the former profile remain its own until they expire.",
			params: id,
			answer: object({ profile, tokens }),
		},
	}),
};

export const signals = signalTable({
	"identity.profile.revoked": {
		summary: "A profile was deleted: doors refuse its tokens, of every session, until then.",
		payload: { profileId: uuid, until: time },
	},
});

export const facts = factTable({
	"identity.profile.created": { summary: "A profile was made.", payload: { ...ofAccount, displayName, kind: profileKind } },
	"identity.profile.updated": {
		summary: "A profile has another name, bio or avatar: it is now so.",
		payload: { ...ofAccount, displayName, kind: profileKind, bio: nullable(text(0, 500)), avatar: nullable(uuid) },
	},
	"identity.profile.deleted": {
		summary: "A profile is gone for good; its tokens are refused, and its account lives on, or was erased.",
		payload: { ...ofAccount, kind: profileKind },
	},
});
