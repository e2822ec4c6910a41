// How a store of `s3Server` is spoken to: by Reloop, by its variables; by a test, by signed requests.
import { AwsClient } from "aws4fetch";
import { S3_ACCESS, S3_SECRET } from "./server-recipes.ts";
import type { Server } from "./servers.ts";

export const S3_BUCKET = "pictures";

export const s3Of = ({ url }: Server): Record<string, string> => ({
	S3_ENDPOINT: url,
	S3_BUCKET,
	S3_ACCESS_KEY: S3_ACCESS,
	S3_SECRET_KEY: S3_SECRET,
});

/** Somebody who asks the store; who they are, and how they sign, may be wrong. */
export const asker = ({ url }: Server, { accessKeyId = S3_ACCESS, secretAccessKey = S3_SECRET, region = "us-east-1" } = {}) => {
	const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: "s3", retries: 0 });
	return async (method: string, key: string, body?: string): Promise<{ status: number; text: string }> => {
		const answer = await client.fetch(`${url}/${S3_BUCKET}${key}`, { method, ...(body === undefined ? {} : { body }) });
		return { status: answer.status, text: await answer.text() };
	};
};
