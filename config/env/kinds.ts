// What a variable of the environment may be, and how its text is read.
import { isIP } from "node:net";

/** How a text becomes a value. Throws nothing: `undefined` means that the text is not one of those that `may` describes. */
export interface Kind<T> {
	/** What the variable may be, as the end of "NAME must be …". */
	may: string;
	read(text: string): T | undefined;
}

export const integer = (least: number, most: number): Kind<number> => ({
	may: `an integer from ${least} to ${most}`,
	read: (text) => (/^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined),
});

export const seconds = integer(1, 10 * 365 * 86_400);

export const factor: Kind<number> = {
	may: "a number above 0, such as 1 or 0.5",
	read: (text) => (/^\d{1,9}(\.\d{1,9})?$/.test(text) && Number(text) > 0 ? Number(text) : undefined),
};

export const oneOf = <const T extends string>(...values: T[]): Kind<T> => ({
	may: `one of ${values.join(", ")}`,
	read: (text) => values.find((value) => value === text),
});

export const truth: Kind<boolean> = {
	may: "true or false",
	read: (text) => (text === "true" ? true : text === "false" ? false : undefined),
};

export const word: Kind<string> = {
	may: "a name or path without control characters",
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
	read: (text) => (/^[^\u0000-\u001f\u007f]{1,1000}$/.test(text) ? text : undefined),
};

export const postgresUrl: Kind<string> = {
	may: "a URL such as postgres://user:password@host:5432/database",
	read: (text) => {
		const url = URL.parse(text);
		return url && /^postgres(ql)?:$/.test(url.protocol) && url.hostname !== "" && url.pathname.length > 1 ? text : undefined;
	},
};

/** Passwords may stand in them: what is read is never shown. */
const urlOf = (may: string, protocol: RegExp): Kind<string> => ({
	may,
	read: (text) => {
		const url = URL.parse(text);
		return url && protocol.test(url.protocol) && url.hostname !== "" ? text : undefined;
	},
});
export const redisUrl = urlOf("a URL such as redis://user:password@host:6379/0 (rediss:// for TLS)", /^rediss?:$/);
export const mongoUrl = urlOf("a URL such as mongodb://host:27017/reloop?replicaSet=rs0", /^mongodb(\+srv)?:$/);

export const tcpUrl: Kind<string> = {
	may: "a host and its port, such as tcp://clamd:3310",
	read: (text) => (/^tcp:\/\/[^/?#@]+:\d{1,5}$/.test(text) && URL.canParse(text) ? text : undefined),
};

export const bucket: Kind<string> = {
	may: "the name of a bucket: 3 to 63 small letters, digits, dots and hyphens",
	read: (text) => (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(text) ? text : undefined),
};

/** What may follow the question mark of SMTP_URL. */
const SMTP_OPTIONS = ["requireTLS", "ignoreTLS", "tls.rejectUnauthorized"];
export const smtpUrl: Kind<string> = {
	may: `a URL such as smtp://user:password@host:587 (smtps:// for TLS from the start), perhaps with ${SMTP_OPTIONS.join(", ")} =true or false`,
	read: (text) => {
		const url = urlOf("", /^smtps?:$/).read(text) ? URL.parse(text) : null;
		if (!url || !isDecodable(url.username) || !isDecodable(url.password)) return undefined;
		const known = [...url.searchParams].every(([name, value]) => SMTP_OPTIONS.includes(name) && /^(true|false)$/.test(value));
		return known ? text : undefined;
	},
};

const isDecodable = (text: string): boolean => {
	try {
		return decodeURIComponent(text) !== undefined;
	} catch {
		return false;
	}
};

/** An address that mails come from, or a name with one. */
export const mailbox: Kind<string> = {
	may: "an address such as no-reply@reloop.example or Reloop <no-reply@reloop.example>",
	read: (text) => {
		const address = '[^\\s<>()\\[\\]\\\\,;:"@]+@[^\\s<>()\\[\\]\\\\,;:"@]+';
		return word.read(text) && new RegExp(`^(${address}|[^<>,;:"@]{1,100}<${address}>)$`).test(text) ? text : undefined;
	},
};

/** Several servers of one cluster, comma separated, with one login. */
export const natsUrls: Kind<string[]> = {
	may: "URLs such as nats://user:password@host:4222 (tls:// for TLS), comma separated",
	read: (text) => {
		const urls = text
			.split(",")
			.map((entry) => entry.trim())
			.filter((entry) => entry !== "");
		return urls.length > 0 && urls.every((url) => urlOf("", /^(nats|tls):$/).read(url)) ? urls : undefined;
	},
};

export const webUrl: Kind<string> = {
	may: "an http or https URL such as https://reloop.example",
	read: (text) => {
		const url = URL.parse(text);
		const plain = url && /^https?:$/.test(url.protocol) && !url.username && !url.search && !url.hash;
		return plain ? text.replace(/\/+$/, "") : undefined;
	},
};

/** As its tokens spell it: a slash at the end is part of the name. */
export const issuerUrl: Kind<string> = {
	may: "the https URL of an OpenID Connect issuer, such as https://accounts.example.com (http outside of production only)",
	read: (text) => {
		const url = URL.parse(text);
		return url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash ? text : undefined;
	},
};

export const scopes: Kind<string> = {
	may: "scopes such as openid profile email, openid among them",
	read: (text) => {
		const all = text.split(/[\s,]+/).filter((scope) => scope !== "");
		return all.includes("openid") && all.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)) ? all.join(" ") : undefined;
	},
};

/** Standard Webhooks: 24 to 64 bytes. */
export const webhookSecret: Kind<string> = {
	may: "whsec_ and 24 to 64 bytes in base64, as the sender shows it",
	read: (text) => {
		const [, base64 = ""] = /^(?:whsec_)?([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
		const { length } = Buffer.from(base64, "base64");
		return base64.length % 4 === 0 && length >= 24 && length <= 64 ? text : undefined;
	},
};

/** Comma separated, each entry as `of` says, none twice. */
export const list = (may: string, of: (entry: string) => boolean): Kind<string[]> => ({
	may,
	read: (text) => {
		const entries = [
			...new Set(
				text
					.split(",")
					.map((entry) => entry.trim())
					.filter((entry) => entry !== ""),
			),
		];
		return entries.every(of) ? entries : undefined;
	},
});

export const isNetwork = (entry: string): boolean => {
	const [address = "", bits, ...rest] = entry.split("/");
	const version = isIP(address);
	const width = version === 6 ? 128 : 32;
	return version !== 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= width));
};

export const isOrigin = (entry: string): boolean => /^https?:/.test(entry) && URL.parse(entry)?.origin === entry;

export const secretKey: Kind<string> = {
	may: "32 bytes in base64 (make one with: openssl rand -base64 32)",
	read: (text) => {
		const bytes = Buffer.from(text, "base64");
		// Canonical, so that one key has one text: passwords are derived from it.
		return bytes.length === 32 && /^[A-Za-z0-9+/]{43}=?$/.test(text) ? bytes.toString("base64") : undefined;
	},
};
