// A process that starts the embedded server of a directory, says where, and stays: for tests that kill it.
import { startEmbedded } from "../../config/embedded-postgres.ts";

const { ownerUrl, pid } = await startEmbedded(process.argv[2] as string);
console.log(JSON.stringify({ ownerUrl, pid }));
setInterval(() => {}, 60_000);
