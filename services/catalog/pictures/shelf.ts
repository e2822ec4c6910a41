// Where the bytes of pictures are: in a folder, or in an S3-compatible store. A file is called by what is in it, so that it is never
// changed, and putting the same once more is putting nothing.
import type { ServiceBroker } from "moleculer";
import { settings } from "../../../mixins/node.ts";
import type { PictureSize } from "../../contracts/uploads.ts";
import { folderShelf } from "./folder.ts";
import { s3Shelf } from "./s3.ts";

/** The sizes of one picture are deleted together. Throws 503 `unavailable` where the store does not do as it should. */
export interface Shelf {
	put(digest: string, size: PictureSize, type: string, bytes: Buffer): Promise<void>;
	/** At most `length` bytes from `from` on. */
	read(digest: string, size: PictureSize, from: number, length: number): Promise<Buffer>;
	/** What is not there is deleted already. */
	drop(digest: string): Promise<void>;
	/** Before the process is ready: throws a refusal where it cannot work. */
	start(): Promise<void>;
}

export function shelfOf(broker: ServiceBroker): Shelf {
	const env = settings(broker);
	return env.S3_ENDPOINT ? s3Shelf(broker) : folderShelf(broker);
}
