// The index of words where the log is in MongoDB: the words are with the messages.
import type { MongoLog } from "../../../mixins/mongo/log.ts";
import { findWords, writeWords } from "../../../mixins/mongo/words.ts";
import type { Deed } from "./projection.ts";
import type { WordIndex } from "./words.ts";

export const wordsElsewhere = (log: MongoLog<Deed>): WordIndex => ({
	write: (_tx, room, changes) => writeWords(log.ask, room, changes),
	find: (search) => findWords(log.ask, search),
});
