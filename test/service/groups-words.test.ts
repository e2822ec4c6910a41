// The index of words where the log is in PostgreSQL.
import { wordsInPostgres } from "../../services/groups/store/words-here.ts";
import { logsOnPostgres } from "../support/log-house.ts";
import { wordsSuite } from "../support/words-suite.ts";

wordsSuite("PostgreSQL", logsOnPostgres, (_process, { db }) => wordsInPostgres(db));
