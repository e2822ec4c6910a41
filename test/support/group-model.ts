// A group as it should be, in a few lines: what random commands by random people are held against (test/service/groups-model.test.ts).
// Every command answers what the service should: the code of a refusal, or what it says of the log.

/** 3 admin, 2 moderator, 1 member, 0 none. */
type Rank = 0 | 1 | 2 | 3;
export interface SaidModel {
	by: number;
	content: string | null;
	reactions: Map<string, Set<number>>;
}

export class GroupModel {
	/** Types of events; the number of the last is the head. */
	readonly log = ["group"];
	readonly said = new Map<number, SaidModel>();
	readonly #members = new Map<number, { rank: Rank; mark: number }>([[0, { rank: 3, mark: 1 }]]);
	readonly #ids = new Map<string, number>();

	#tell = (type: string): number => this.log.push(type);
	rank = (who: number): Rank => this.#members.get(who)?.rank ?? 0;
	members = (): number[] => [...this.#members.keys()];
	unread(who: number): number {
		const mark = this.#members.get(who)?.mark ?? 0;
		return [...this.said].filter(([seq, { by, content }]) => seq > mark && by !== who && content !== null).length;
	}

	post(who: number, id: string, content: string, replyTo: number | null, mention: number | null) {
		if (!this.rank(who)) return "not-member";
		const known = this.#ids.get(`${who} ${id}`);
		if (known) return { seq: known, replayed: true };
		const missing = replyTo !== null && (this.said.get(replyTo)?.content ?? null) === null;
		if (missing || (mention !== null && !this.rank(mention))) return "validation";
		const seq = this.#tell("message");
		this.said.set(seq, { by: who, content, reactions: new Map() });
		this.#ids.set(`${who} ${id}`, seq);
		return { seq, replayed: false };
	}
	edit(who: number, target: number, content: string) {
		const message = this.said.get(target);
		if (!this.rank(who) || !message) return this.rank(who) ? "not-found" : "not-member";
		if (message.by !== who) return "forbidden";
		if (message.content === null) return "deleted";
		message.content = content;
		return this.#tell("edited");
	}
	remove(who: number, target: number) {
		const message = this.said.get(target);
		if (!this.rank(who) || !message) return this.rank(who) ? "not-found" : "not-member";
		if (message.by !== who && this.rank(who) < 2) return "forbidden";
		if (message.by !== who && this.rank(message.by) >= this.rank(who)) return "rank";
		if (message.content === null) return target;
		this.said.set(target, { by: message.by, content: null, reactions: new Map() });
		return this.#tell("deleted");
	}
	react(who: number, target: number, emoji: string, add: boolean) {
		const message = this.said.get(target);
		if (!this.rank(who) || !message) return this.rank(who) ? "not-found" : "not-member";
		if (message.content === null) return "deleted";
		const people = message.reactions.get(emoji) ?? new Set();
		if (people.has(who) === add) return target;
		if (add) message.reactions.set(emoji, people.add(who));
		else if (people.delete(who) && people.size === 0) message.reactions.delete(emoji);
		return this.#tell("reacted");
	}
	read(who: number, seq: number) {
		const me = this.#members.get(who);
		if (!me || seq > this.log.length) return me ? "validation" : "not-member";
		me.mark = Math.max(me.mark, seq);
		return { seq: me.mark, unread: this.unread(who) };
	}
	join(who: number) {
		if (!this.rank(who)) this.#members.set(who, { rank: 1, mark: this.#tell("member") });
		return "member";
	}
	leave(who: number) {
		if (!this.#members.delete(who)) return "not-member";
		return this.#tell("member") && "left";
	}
	kick(who: number, other: number) {
		if (this.rank(who) < 2 || !this.rank(other))
			return this.rank(who) === 0 ? "not-member" : this.rank(who) < 2 ? "forbidden" : "not-found";
		if (who === other || this.rank(other) >= this.rank(who)) return "rank";
		this.#members.delete(other);
		return this.#tell("member") && "kicked";
	}
	promote(who: number, other: number) {
		if (this.rank(who) < 3) return this.rank(who) ? "forbidden" : "not-member";
		const them = this.#members.get(other);
		if (!them || who === other) return them ? "rank" : "not-found";
		if (them.rank < 2) this.#tell("member");
		them.rank = 2;
		return "moderator";
	}
}
