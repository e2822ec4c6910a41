/** What a test cannot do without and this machine has not: locally a reason for skipping, in CI a failure. */
export function lacking(reason: string | false): string | false {
	if (reason && process.env.CI === "true") throw new Error(reason);
	return reason;
}
