// The catalog node's way to its database: uploads, each somebody's own.
import type { Queryable } from "../../../mixins/node.ts";
import type { Described } from "../../contracts/uploads.ts";

const described = "u.id, f.type, f.width, f.height";

/** Those of these uploads that are the owner's: a profile's, or an account's with all its profiles. In no order. */
export const findDescribed = (db: Queryable, ids: readonly string[], ownerId: string) =>
	db.query<Described>(
		`select ${described} from uploads u join files f using (digest)
		where u.id = any($1::uuid[]) and $2::uuid in (u.owner_id, u.account_id)`,
		[ids, ownerId],
	);
