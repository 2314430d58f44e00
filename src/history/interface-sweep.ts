import type { SqlConnection } from "./connection.ts";
import type { InterfaceTable } from "./interfaces.ts";

/** Names that are looked at in one pass over the conversations: a number each in memory. */
const PASS_NAMES = 32_768;
const NAMES_PER_STEP = 1024;
const CONVERSATIONS_PER_STEP = 512;
const DELETIONS_PER_STEP = 64;

interface Conversation {
  id: number;
  interface_id: number;
}

/**
 * Deletes names of interfaces that no conversation has any more, in small steps: takes the names for unused, crosses off those
 * of all conversations, deletes the rest. Ids of conversations only grow, so that one that the writer stores meanwhile comes behind
 * those that were seen, and each deletion is in a transaction that has seen them all. A pass ends early where all are in use.
 */
export class InterfaceSweep {
  /** Ids of names that no conversation seen so far has. */
  private readonly unused = new Set<number>();
  private lastName = 0;
  private lastConversation = 0;
  private isListed = false;
  private hasMoreNames = true;

  constructor(
    private readonly db: SqlConnection,
    private readonly interfaces: InterfaceTable,
  ) {}

  /** A little of the work; within a transaction. True when all is done. */
  step(): boolean {
    if (!this.isListed) {
      this.list();
      return false;
    }
    if (this.unused.size > 0) {
      // First those stored since the last step: what is deleted then is in the same transaction.
      if (this.crossOff()) this.deleteSome();
      return false;
    }
    this.isListed = false;
    this.lastConversation = 0;
    return !this.hasMoreNames;
  }

  private list(): void {
    const names = this.db
      .query<{ id: number }, [number, number]>("SELECT id FROM interfaces WHERE id > ? ORDER BY id LIMIT ?")
      .all(this.lastName, NAMES_PER_STEP);
    for (const { id } of names) this.unused.add(id);
    this.lastName = names.at(-1)?.id ?? this.lastName;
    this.hasMoreNames = names.length === NAMES_PER_STEP;
    this.isListed = !this.hasMoreNames || this.unused.size >= PASS_NAMES;
  }

  /** Crosses off what some more conversations have; true when there are no more. */
  private crossOff(): boolean {
    const conversations = this.db
      .query<Conversation, [number, number]>(
        "SELECT id, interface_id FROM conversations WHERE id > ? ORDER BY id LIMIT ?",
      )
      .all(this.lastConversation, CONVERSATIONS_PER_STEP);
    for (const { interface_id } of conversations) this.unused.delete(interface_id);
    this.lastConversation = conversations.at(-1)?.id ?? this.lastConversation;
    return conversations.length < CONVERSATIONS_PER_STEP;
  }

  private deleteSome(): void {
    let deleted = 0;
    for (const id of this.unused) {
      if (deleted++ === DELETIONS_PER_STEP) return;
      this.interfaces.remove(id);
      this.unused.delete(id);
    }
  }
}
