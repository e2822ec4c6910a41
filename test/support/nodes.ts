// Folders of nodes that exist only in a test: `<node>/migrations/<name>.sql` in a temporary place.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export type Migrations = Record<string, Record<string, string>>;

/** Writes the migrations of some nodes; answers the folder, fit for `servicesDir`. Files are written without ".sql". */
export function servicesWith(nodes: Migrations, folder = fs.mkdtempSync(path.join(os.tmpdir(), "reloop-services-"))): string {
	for (const [node, files] of Object.entries(nodes)) {
		const dir = path.join(folder, node, "migrations");
		fs.mkdirSync(dir, { recursive: true });
		for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(dir, `${name}.sql`), text);
	}
	return folder;
}
