// People and groups of a benchmark, made over HTTP as clients make them.

export interface BenchPerson {
	profileId: string;
	email: string;
	token: string;
	refreshToken: string;
}

export async function request<T>(url: string, method: string, path: string, token?: string, body?: unknown): Promise<T> {
	const response = await fetch(new URL(path, url), {
		method,
		headers: {
			...(body === undefined ? {} : { "Content-Type": "application/json" }),
			...(token ? { Authorization: `Bearer ${token}` } : {}),
		},
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	const text = await response.text();
	if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
	return (text ? JSON.parse(text) : null) as T;
}

/** Does work for each element, at most `width` at a time; results in the order of the elements. */
export async function eachOf<T, R>(elements: readonly T[], width: number, work: (element: T) => Promise<R>): Promise<R[]> {
	const results: R[] = [];
	let next = 0;
	const lane = async () => {
		for (let index = next++; index < elements.length; index = next++) results[index] = await work(elements[index] as T);
	};
	await Promise.all(Array.from({ length: width }, lane));
	return results;
}

/** Everybody's. */
export const PASSWORD = "a long enough password 1";

/** Registers so many people. Their passwords cost the platform tens of milliseconds each: four at a time. */
export function register(url: string, count: number): Promise<BenchPerson[]> {
	const numbers = Array.from({ length: count }, (_, index) => index);
	return eachOf(numbers, 4, async (index) => {
		const email = `bench-${index}@example.org`;
		const { profile, tokens } = await request<{ profile: { id: string }; tokens: { accessToken: string; refreshToken: string } }>(
			url,
			"POST",
			"/api/auth/register",
			undefined,
			{
				email,
				password: PASSWORD,
				displayName: `Member ${index}`,
			},
		);
		return { profileId: profile.id, email, token: tokens.accessToken, refreshToken: tokens.refreshToken };
	});
}

/** A public group of these people; the first one makes it. Answers its id. */
export async function makeGroup(url: string, people: readonly BenchPerson[]): Promise<string> {
	const [founder, ...others] = people as [BenchPerson, ...BenchPerson[]];
	const { id } = await request<{ id: string }>(url, "POST", "/api/groups", founder.token, { name: "Bench", isPublic: true });
	await eachOf(others, 4, (member) => request(url, "POST", `/api/groups/${id}/join`, member.token, {}));
	return id;
}
