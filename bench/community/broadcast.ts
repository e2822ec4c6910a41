// A broadcast to 100,000 profiles, beside a chat: how many a second are stored, each with an event in the profile's room and a place on the
// ladder, and what the chat notices of it. The people are written by SQL; the broadcast is asked for as an operator asks for it.
import pg from "pg";
import { startEmbedded } from "../../config/embedded-postgres.ts";
import type { ChatAsk, ChatRound } from "../load/chat.ts";
import { startLoad, startPlatform, withDirectory } from "../support/children.ts";
import { median, ms, percentile } from "../support/figures.ts";
import type { BenchPerson } from "../support/people.ts";
import { makeGroup, PASSWORD, register, request } from "../support/people.ts";

const PROFILES = 100_000;
const MEMBERS = 20;
/** A hundred messages a second. */
const CHAT = { senders: MEMBERS, textBytes: 200, everyMs: 200 };
const ALONE_MS = 10_000;
const WINDOW_MS = 2_000;

/** Accounts with a profile each, as registering and hearing of it write them. */
async function fill(client: pg.Client, count: number): Promise<void> {
	await client.query(
		`with made as (
			insert into identity.accounts (id, email, password_hash, state, role, created_at, updated_at, language, time_zone)
			select gen_random_uuid(), 'filled-' || n || '@example.org', '', 'active', 'user', now(), now(),
				(array['en', 'pt', 'ar', 'ku'])[1 + n % 4], 'Europe/Lisbon'
			from generate_series(1, $1::int) as n returning id, language
		), settings as (
			insert into presence.account_settings (account_id, language, time_zone) select id, language, 'Europe/Lisbon' from made
		), faces as (
			insert into identity.profiles (id, account_id, display_name, kind, created_at, updated_at)
			select gen_random_uuid(), id, 'Filled', 'consumer', now(), now() from made returning id, account_id
		)
		insert into presence.people (profile_id, account_id, display_name) select id, account_id, 'Filled' from faces`,
		[count],
	);
	await client.query("vacuum analyze identity.accounts, identity.profiles, presence.people, presence.account_settings");
}

type Job = { id: string; state: string; done: number; total: number; result?: { notified: number } };

export async function broadcast(rounds: number): Promise<void> {
	await withDirectory(async (directory) => {
		const database = await startEmbedded(directory);
		const client = new pg.Client({ connectionString: database.ownerUrl });
		await client.connect();
		const platform = await startPlatform(directory, { DATABASE_URL: database.ownerUrl });
		const load = startLoad<ChatAsk, ChatRound>("chat.ts");
		try {
			const [operator, ...members] = (await register(platform.url, MEMBERS + 1)) as [BenchPerson, ...BenchPerson[]];
			await client.query("update identity.accounts set role = 'admin' where email = $1", [operator.email]);
			const { tokens } = await request<{ tokens: { accessToken: string } }>(platform.url, "POST", "/api/auth/login", undefined, {
				email: operator.email,
				password: PASSWORD,
			});
			await fill(client, PROFILES);
			const rooms = [{ id: await makeGroup(platform.url, members), tokens: members.map(({ token }) => token) }];
			await load.ask({ kind: "open", target: "ours", urls: [platform.url], rooms });
			const chat = async (length: number): Promise<ChatRound> => {
				const result = await load.ask({ kind: "round", target: "ours", ms: length, ...CHAT });
				if (result.faults.length > 0) throw new Error(`The round does not count: ${result.faults.join("; ")}`);
				return result;
			};
			await chat(ALONE_MS);
			const rates: number[] = [];
			const figures = { alone: [] as number[], beside: [] as number[] };
			for (let round = 0; round < rounds; round++) {
				const { p50, p99 } = await chat(ALONE_MS);
				const began = performance.now();
				const { id } = await request<Job>(platform.url, "POST", "/api/admin/notifications/broadcast", tokens.accessToken, {
					texts: { en: { title: `Round ${round}`, body: "Tonight we mend." }, ar: { title: `الجولة ${round}`, body: "الليلة نصلح." } },
				});
				const windows: ChatRound[] = [];
				let job: Job;
				do {
					windows.push(await chat(WINDOW_MS));
					job = await request<Job>(platform.url, "GET", `/api/jobs/${id}`, tokens.accessToken);
				} while (job.state === "waiting" || job.state === "running");
				const [ended] = (
					await client.query<{ ms: number }>(
						"select extract(epoch from ended_at - created_at) * 1000 as ms from presence.work where id = $1",
						[id],
					)
				).rows;
				if (job.state !== "done" || (job.result?.notified ?? 0) < PROFILES)
					throw new Error(`The broadcast ended as ${JSON.stringify(job)}.`);
				const took = Number(ended?.ms ?? performance.now() - began);
				const rate = (job.result?.notified ?? 0) / (took / 1000);
				// Windows in which it was over are none.
				const busy = windows.slice(0, Math.max(1, Math.floor(took / WINDOW_MS)));
				const beside = percentile(
					busy.map((window) => window.p99),
					0.5,
				);
				rates.push(rate);
				figures.alone.push(p99);
				figures.beside.push(beside);
				console.log(
					`  broadcast: ${Math.round(rate)} profiles/s; chat alone p50 ${ms(p50)}, p99 ${ms(p99)}; beside it p50 ${ms(median(busy.map((window) => window.p50)))}, p99 ${ms(beside)}`,
				);
				await settled(client);
			}
			const [alone, beside] = [median(figures.alone), median(figures.beside)];
			console.log(
				`  median broadcast: ${Math.round(median(rates))} profiles/s stored; p99 of the chat ${ms(alone)} alone, ${ms(beside)} beside it (${(beside / alone).toFixed(2)} times)`,
			);
		} finally {
			await load.stop();
			await platform.stop();
			await client.end();
			await database.stop();
		}
	});
}

/** What a broadcast leaves to be done later is not part of the next round. */
async function settled(client: pg.Client): Promise<void> {
	await client.query("delete from presence_jobs._private_jobs where locked_at is null and run_at > now()");
	await client.query("vacuum analyze presence.notifications, presence.room_events, presence.causes, presence_jobs._private_jobs");
}
