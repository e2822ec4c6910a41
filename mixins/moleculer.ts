// Moleculer's own way of writing a service, typed: for mixins, and for the two doors, which stand on gateways of their own.
// What a node's service is written with is service.ts.
import type { Middleware, Service, ServiceBroker, ServiceSchema } from "moleculer";

/** Moleculer's schema of a service, with `this` as the service itself says it is: `created(this: Mine) { … }`. */
export interface MoleculerSchema<This> {
	name: string;
	mixins?: Partial<ServiceSchema>[];
	/** Public: they travel to every process. */
	settings?: Record<string, unknown>;
	actions?: ServiceSchema["actions"];
	events?: ServiceSchema["events"];
	// biome-ignore lint/suspicious/noExplicitAny: what a method takes is between the service and its gateway
	methods?: Record<string, (this: This, ...args: any[]) => unknown>;
	created?(this: This): void;
	started?(this: This): void | Promise<void>;
	stopped?(this: This): void | Promise<void>;
}

export const defineService = <This extends Service = Service>(schema: MoleculerSchema<This>): ServiceSchema => schema as ServiceSchema;
export const defineMixin = <This extends Service = Service>(schema: Partial<MoleculerSchema<This>>): Partial<ServiceSchema> =>
	schema as Partial<ServiceSchema>;

/** A hook that stands around what Moleculer does: gets the next one, and answers what is called in its place. */
type Hook = (next: never, action: never) => (...args: never[]) => unknown;
export interface Hooks {
	name: string;
	created?(broker: ServiceBroker): void;
	call?: Hook;
	localAction?: Hook;
	remoteAction?: Hook;
	transitMessageHandler?: Hook;
}
// Moleculer's types say that a hook answers what the call answers, and not a function that is called.
export const defineMiddleware = (hooks: Hooks): Middleware => hooks as unknown as Middleware;
