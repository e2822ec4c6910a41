// Pictures.
import type { Route } from "../route.ts";

const file = {
	field: "file",
	mostBytes: 10 * 1024 * 1024,
	begin: "uploads.begin",
	piece: "uploads.piece",
	drop: "uploads.drop",
} as const;

export const catalog: readonly Route[] = [
	{ method: "POST", path: "/api/uploads", action: "uploads.create", access: "signed-in", status: 201, file, location: "/api/uploads/{id}" },
	{ method: "GET", path: "/api/uploads/:uploadId", action: "uploads.show", access: "signed-in" },
	{ method: "GET", path: "/api/uploads/:uploadId/:size", action: "uploads.file", access: "anyone", download: "uploads.part" },
];
