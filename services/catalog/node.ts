// What the services of this node share in a process.
import type { ServiceBroker } from "moleculer";
import { limiterOf } from "../../mixins/limits.ts";
import type { SharedLimiter } from "../../mixins/limits.ts";
import type { Db } from "../../mixins/node.ts";
import { database, perBroker, settings } from "../../mixins/node.ts";
import { makeMill } from "./pictures/mill.ts";
import { scannerOf } from "./pictures/scanner.ts";
import { shelfOf } from "./pictures/shelf.ts";
import type { Shelf } from "./pictures/shelf.ts";

/** What one account may send within an hour, times RATE_LIMIT_FACTOR: so many files, and so many pieces of them (500 MB). */
const UPLOADS_AN_HOUR = 300;
const PIECES_AN_HOUR = 1_000;

export interface CatalogNode {
	db: Db;
	shelf: Shelf;
	scan: ReturnType<typeof scannerOf>;
	mill: ReturnType<typeof makeMill>;
	uploadsPerHour: SharedLimiter;
	piecesPerHour: SharedLimiter;
}

export const catalogNode = perBroker((broker: ServiceBroker): CatalogNode => {
	const { RATE_LIMIT_FACTOR } = settings(broker);
	const hourly = (name: string, units: number) =>
		limiterOf(broker, name, { units: Math.max(1, Math.floor(units * RATE_LIMIT_FACTOR)), seconds: 3600 });
	return {
		db: database("catalog"),
		shelf: shelfOf(broker),
		scan: scannerOf(broker),
		mill: makeMill(),
		uploadsPerHour: hourly("uploads", UPLOADS_AN_HOUR),
		piecesPerHour: hourly("upload-pieces", PIECES_AN_HOUR),
	};
});
