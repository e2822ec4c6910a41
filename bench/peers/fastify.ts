// The read benchmark's peer: Fastify with the same check of the same token (RS256 by jose, remembered until it expires)
// and the same one-row select on the same server, through a pool as large as ours.
import Fastify from "fastify";
import { createRemoteJWKSet, jwtVerify } from "jose";
import pg from "pg";

const [databaseUrl, jwksUrl, issuer] = process.argv.slice(2) as [string, string, string];
const POOL = 8;
const pool = new pg.Pool({ connectionString: databaseUrl, max: POOL });
const keys = createRemoteJWKSet(new URL(jwksUrl));
const known = new Map<string, { profileId: string; exp: number }>();

async function verify(token: string): Promise<string> {
	const remembered = known.get(token);
	if (remembered && remembered.exp > Date.now() / 1000) return remembered.profileId;
	const { payload } = await jwtVerify(token, keys, { issuer, audience: "reloop", algorithms: ["RS256"], typ: "at+jwt", clockTolerance: 5 });
	const verified = { profileId: payload.profile as string, exp: payload.exp ?? 0 };
	known.set(token, verified);
	return verified.profileId;
}

const select = {
	name: "group-show",
	text: `select g.id, g.name, g.description, g.is_public as "isPublic", m.role, g.member_count as "memberCount", g.created_at as "createdAt"
		from groups.groups g left join groups.members m on m.group_id = g.id and m.profile_id = $2
		where g.id = $1`,
};

const app = Fastify();
app.get<{ Params: { id: string } }>("/api/groups/:id", async (request, reply) => {
	const { authorization } = request.headers;
	if (!authorization?.startsWith("Bearer ")) return reply.code(401).send({ code: "unauthenticated" });
	let profileId: string;
	try {
		profileId = await verify(authorization.slice(7));
	} catch {
		return reply.code(401).send({ code: "invalid-token" });
	}
	const { rows } = await pool.query({ ...select, values: [request.params.id, profileId] });
	return rows[0] ?? reply.code(404).send({ code: "not-found" });
});

console.log(`Fastify is ready at ${await app.listen({ port: 0, host: "127.0.0.1" })}`);
process.on("SIGTERM", () => process.exit(0));
