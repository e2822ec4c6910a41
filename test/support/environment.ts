// What programs that tests start have of the environment besides what a test gives them.
import { systemEnvironment } from "../../config/env.ts";

/**
 * What the system needs, and where compiled code is kept (test/test.env): a program that was started before is there in half the
 * time.
 */
export function testEnvironment(): Record<string, string> {
	const { NODE_COMPILE_CACHE } = process.env;
	return { ...systemEnvironment(), ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }) };
}
