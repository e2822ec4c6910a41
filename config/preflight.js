// Runs before anything else, in JavaScript that an old Node understands: says in one sentence why a start cannot work.
const major = Number(process.versions.node.split(".")[0]);

function refuse(sentence) {
	process.stderr.write(`${sentence}\n`);
	process.exit(1);
}

if (major < 24) {
	refuse(
		`Reloop needs Node 24 or later; this is Node ${process.versions.node}. Run it with npm (npm start uses the Node 24 that npm ci brings for most platforms), or install Node 24.`,
	);
}

// A field named __proto__ in a request must be a field like any other: the accessor must not exist.
// biome-ignore lint/suspicious/noProto: its absence is what is asked for
if ({}.__proto__ !== undefined) {
	refuse("Reloop runs only with --disable-proto=delete: start it with npm start, or add that flag to node.");
}
