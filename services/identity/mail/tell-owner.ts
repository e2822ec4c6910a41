// Tells the owner of an account by mail what was done to it, in the transaction of the change.
import type { ServiceBroker } from "moleculer";
import type { Mail, ValuesOf } from "../../../mixins/mail/index.ts";
import type { Tx } from "../../../mixins/postgres.ts";
import { settings } from "../../../mixins/settings.ts";
import type { mails } from "./mails.ts";
import { identityNode } from "../node.ts";
import { notices } from "./notices.ts";
import { findAddressee } from "../store/recovery.ts";

type Notices = typeof notices;
/** What is filled in besides the link. */
type Said<N extends keyof Notices> = Omit<ValuesOf<Notices[N]>, "link">;

/** To the address that the account has at this moment; to none that nobody has proved to be theirs. */
export async function tellOwner<N extends keyof Notices & string>(
	broker: ServiceBroker,
	tx: Tx,
	accountId: string,
	template: N,
	said: Said<N>,
): Promise<void> {
	const account = await findAddressee(tx, { id: accountId });
	if (!account || account.verifiedAt === null || account.state === "purged") return;
	const hasLink = (notices[template].values as readonly string[]).includes("link");
	const values = hasLink ? { ...said, link: `${settings(broker).PUBLIC_URL}/forgot-password` } : said;
	const { email: to, language } = account;
	// `said` is what this template wants but for the link, which is in `values` where it wants one.
	await identityNode(broker).sendMail(tx, { to, language, template, values } as Mail<typeof mails>);
}
