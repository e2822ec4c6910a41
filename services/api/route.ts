// A row of the HTTP door's table (routes/): a path, which action answers it, and who may ask. Fields of a row:
//   path         `:name` is the action's parameter of that name
//   access       "anyone" (no token needed), "signed-in", or the scope that the token must carry (contracts/scopes.ts)
//   status       of a good answer; 200 unless said. 204 has no body
//   limit        which request limit counts it; unless said "read" for GET and "write" for the rest
//   query        parameters taken from the query where the method has a body; GET and DELETE take all theirs from it
//   fixed        parameters that the row sets itself; the client cannot
//   replay       the answer says by `replayed` that it is an older one: 200 instead of `status`, and a header
//   idempotency  "required": 400 without an Idempotency-Key
//   narrow       open to a token that is only good for changing a password
//   stepUp       only for who proved who they are in the last five minutes: by a login, or by POST /api/auth/step-up
//   body         a DELETE whose parameters come from its body: what must not stand in a URL
//   download     the answer is what a file is called and how long it is; this action gives its pieces, one after another
//   oauth        RFC 6749: the body may be a form, refusals are `{error, error_description}`, and unknown fields are passed over
//   client       a registered client may say who it is by HTTP Basic: that becomes `client_id` and `client_secret`
//   session      what happens to a session. "begin": the answer may have `tokens`, which ?cookie=true puts into cookies; "renew": so
//                it does, and the refresh token may come in its cookie; "end": the cookies are taken away
//   token        "optional": anyone may ask, and a token says who does
//   details      the scope without which the answer's `checks` are left out
//   down         the status of an answer that says `status: "down"`
//   location     where the created thing is; `{field}` is the answer's
//   cache        Cache-Control; "no-store" unless said
//   redirect     answers 302 to the `location` of the answer, without a body
//   cookie       a cookie that the action gets as a param and sets by the field of that name ("" forgets it); for `path` alone,
//                for so many seconds, out of reach of scripts and of other sites' requests
//   loose        what the query says besides is let through unread: others write it (an issuer's callback)
//   raw          the body as it came, for signatures over its bytes: the action gets it as the text `body` and, as `headers`,
//                those named here. UTF-8 it must be; nothing else is asked of it
//   file         multipart/form-data with one file, whose pieces go to the node before the action is asked: its params are `staged`, as
//                `begin` answers it, and `parts`. `piece` takes one (`no`, `bytes` in base64), `drop` forgets them where the rest fails
import type { ActionName } from "../contracts/index.ts";
import type { Access, Scope } from "../contracts/scopes.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type LimitName = "read" | "write" | "auth";

export interface Route {
	readonly method: Method;
	readonly path: string;
	readonly action: ActionName;
	readonly access: Access;
	readonly status?: 200 | 201 | 202 | 204;
	readonly limit?: LimitName;
	readonly query?: readonly string[];
	readonly fixed?: Readonly<Record<string, string | number | boolean>>;
	readonly replay?: true;
	readonly idempotency?: "required";
	readonly narrow?: true;
	readonly stepUp?: true;
	readonly body?: true;
	readonly download?: ActionName;
	readonly oauth?: true;
	readonly client?: true;
	readonly session?: "begin" | "renew" | "end";
	readonly token?: "optional";
	readonly details?: Scope;
	readonly down?: 503;
	readonly location?: string;
	readonly cache?: string;
	readonly redirect?: true;
	readonly cookie?: { readonly name: string; readonly param: string; readonly path: string; readonly seconds: number };
	readonly loose?: true;
	readonly raw?: readonly string[];
	readonly file?: FileField;
}

export interface FileField {
	/** The field of the form that it comes in. */
	readonly field: string;
	readonly mostBytes: number;
	readonly begin: ActionName;
	readonly piece: ActionName;
	readonly drop: ActionName;
}
