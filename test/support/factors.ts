// What people prove themselves with besides passwords: an authenticator app, and a passkey in software, which can also lie.
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isoCBOR } from "@simplewebauthn/server/helpers";
import { Secret, TOTP } from "otpauth";
import type { AuthenticationResponse, CreationOptions, RegistrationResponse, RequestOptions } from "../../services/contracts/webauthn.ts";

/** The code that an authenticator app shows, `steps` of thirty seconds from now. */
export const codeOf = (secret: string, steps = 0): string =>
	new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 });

export const wrongCode = (secret: string): string => {
	const good = [-2, -1, 0, 1, 2].map((steps) => codeOf(secret, steps));
	return ["000000", "111111", "222222", "333333", "444444", "555555"].find((code) => !good.includes(code)) as string;
};

const sha256 = (data: string | Uint8Array): Buffer => createHash("sha256").update(data).digest();
const base64url = (data: Uint8Array | string): string => Buffer.from(data).toString("base64url");

/** How a response differs from a right one. */
export interface Lie {
	origin?: string;
	rpId?: string;
	type?: string;
	challenge?: string;
	/** User present 1, user verified 4. */
	flags?: number;
	counter?: number;
	crossOrigin?: boolean;
	userHandle?: string;
	/** Signed with another key. */
	stranger?: boolean;
	attestation?: { fmt: string; attStmt: Map<string, unknown> };
	id?: string;
}

const keyPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

/** A passkey of the site at `origin`. */
export function softPasskey(origin: string) {
	const { publicKey, privateKey } = keyPair();
	const credential = randomBytes(16);
	const id = base64url(credential);
	let userHandle = "";
	let uses = 0;

	const clientData = (type: string, challenge: string, lie: Lie) =>
		JSON.stringify({
			type: lie.type ?? type,
			challenge: lie.challenge ?? challenge,
			origin: lie.origin ?? origin,
			crossOrigin: lie.crossOrigin ?? false,
		});
	const authenticatorData = (rpId: string, flags: number, counter: number) => {
		const head = Buffer.alloc(5);
		head.writeUInt8(flags);
		head.writeUInt32BE(counter, 1);
		return Buffer.concat([sha256(rpId), head]);
	};
	const cose = () => {
		const { x = "", y = "" } = publicKey.export({ format: "jwk" });
		const key = new Map<number, number | Uint8Array>([
			[1, 2],
			[3, -7],
			[-1, 1],
			[-2, new Uint8Array(Buffer.from(x, "base64url"))],
			[-3, new Uint8Array(Buffer.from(y, "base64url"))],
		]);
		return isoCBOR.encode(key as Parameters<typeof isoCBOR.encode>[0]);
	};

	return {
		id,
		create(options: CreationOptions, lie: Lie = {}): RegistrationResponse {
			userHandle = options.user.id;
			const length = Buffer.alloc(2);
			length.writeUInt16BE(credential.length);
			const authData = Buffer.concat([
				authenticatorData(lie.rpId ?? options.rp.id, (lie.flags ?? 5) | 64, lie.counter ?? uses),
				Buffer.alloc(16),
				length,
				credential,
				cose(),
			]);
			const { fmt, attStmt } = lie.attestation ?? { fmt: "none", attStmt: new Map() };
			const attestation = new Map<string, unknown>([
				["fmt", fmt],
				["attStmt", attStmt],
				["authData", new Uint8Array(authData)],
			]);
			return {
				id,
				rawId: id,
				type: "public-key",
				clientExtensionResults: {},
				response: {
					clientDataJSON: base64url(clientData("webauthn.create", options.challenge, lie)),
					attestationObject: base64url(isoCBOR.encode(attestation as Parameters<typeof isoCBOR.encode>[0])),
					transports: ["internal"],
				},
			};
		},
		get(options: RequestOptions, lie: Lie = {}): AuthenticationResponse {
			uses++;
			const data = clientData("webauthn.get", options.challenge, lie);
			const authData = authenticatorData(lie.rpId ?? options.rpId, lie.flags ?? 5, lie.counter ?? uses);
			const key = lie.stranger ? keyPair().privateKey : privateKey;
			return {
				id: lie.id ?? id,
				rawId: lie.id ?? id,
				type: "public-key",
				clientExtensionResults: {},
				response: {
					clientDataJSON: base64url(data),
					authenticatorData: base64url(authData),
					signature: base64url(sign("sha256", Buffer.concat([authData, sha256(data)]), key)),
					userHandle: (lie.userHandle ?? userHandle) || null,
				},
			};
		},
	};
}
