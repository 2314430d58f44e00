import { NO_NAMING, type Naming } from "../flow/naming.ts";
import type { Identity } from "./types.ts";

const FIRST_CAPACITY = 1024;
const ADDRESS_BYTES = 16;
/** Stands for no identity. */
export const NOBODY = 0;
/** Row id of a conversation that is not known, and the segment of none. */
const UNKNOWN = 0;

/** A copy of `column` that is twice as long. */
function doubled<T extends Float64Array | Uint32Array | Uint16Array | Uint8Array>(column: T): T {
  const longer = new (column.constructor as new (length: number) => T)(column.length * 2);
  longer.set(column);
  return longer;
}

/**
 * Who the rows are about: an identity is a small number, what belongs to it is in columns, so that a live connection
 * costs some 60 bytes. It is kept for as long as someone holds it: who opened it, and each row that is queued.
 * An identity never changes but for the two columns of the writer; a connection that gets another naming gets another.
 */
export class Identities {
  /** The writer's: row id of the conversation, 0 while it is not known. */
  conversation = new Float64Array(FIRST_CAPACITY);
  /** The writer's: the segment that has it counted in already, 0 for none. */
  segment = new Uint32Array(FIRST_CAPACITY);
  clientPort = new Uint16Array(FIRST_CAPACITY);
  serverPort = new Uint16Array(FIRST_CAPACITY);
  private protocol = new Uint8Array(FIRST_CAPACITY);
  /** Bytes of each address: 4 or 16. */
  private addressBytes = new Uint8Array(FIRST_CAPACITY);
  /** Client, then server, each from the left. */
  private addresses = new Uint8Array(FIRST_CAPACITY * 2 * ADDRESS_BYTES);
  private holders = new Uint32Array(FIRST_CAPACITY);
  private readonly interfaces: string[] = [""];
  private readonly namings: Naming[] = [NO_NAMING];
  private readonly free: number[] = [];

  /** Identities that someone holds. */
  get size(): number {
    return this.namings.length - 1 - this.free.length;
  }

  /** A new identity, held by the caller. Of longer addresses only the last `addressBytes` bytes count. */
  open(of: Identity, addressBytes: number): number {
    const identity = this.add(of, addressBytes);
    this.hold(identity);
    return identity;
  }

  hold(identity: number): void {
    this.holders[identity] = (this.holders[identity] ?? 0) + 1;
  }

  /** Ends one `hold` or `open`; with the last of them the number goes to the next that is opened. */
  release(identity: number): void {
    const holders = (this.holders[identity] ?? 0) - 1;
    this.holders[identity] = holders;
    if (holders === 0) this.remove(identity);
  }

  naming(identity: number): Naming {
    return this.namings[identity] ?? NO_NAMING;
  }

  /** What was opened; the addresses are views, valid during the call. */
  describe(identity: number): Identity {
    const client = identity * 2 * ADDRESS_BYTES;
    const server = client + ADDRESS_BYTES;
    const length = this.addressBytes[identity] ?? 0;
    return {
      client: this.addresses.subarray(client, client + length),
      server: this.addresses.subarray(server, server + length),
      clientPort: this.clientPort[identity] ?? 0,
      serverPort: this.serverPort[identity] ?? 0,
      protocol: this.protocol[identity] ?? 0,
      interface: this.interfaces[identity] ?? "",
      naming: this.naming(identity),
    };
  }

  /** Notes the row id of the conversation; 0 when it is not known any more. */
  setConversation(identity: number, id: number): void {
    this.conversation[identity] = id;
    this.segment[identity] = UNKNOWN;
  }

  private add(of: Identity, addressBytes: number): number {
    const identity = this.free.pop() ?? this.namings.length;
    if (identity === this.holders.length) this.grow();
    this.conversation[identity] = UNKNOWN;
    this.segment[identity] = UNKNOWN;
    this.clientPort[identity] = of.clientPort;
    this.serverPort[identity] = of.serverPort;
    this.protocol[identity] = of.protocol;
    this.addressBytes[identity] = addressBytes;
    this.copyAddress(of.client, addressBytes, identity * 2);
    this.copyAddress(of.server, addressBytes, identity * 2 + 1);
    this.interfaces[identity] = of.interface;
    this.namings[identity] = of.naming;
    return identity;
  }

  private copyAddress(from: Uint8Array, length: number, to: number): void {
    const { addresses } = this;
    const skipped = from.length - length;
    for (let index = 0; index < length; index++) {
      addresses[to * ADDRESS_BYTES + index] = from[skipped + index] ?? 0;
    }
  }

  private remove(identity: number): void {
    this.namings[identity] = NO_NAMING;
    this.free.push(identity);
  }

  private grow(): void {
    this.conversation = doubled(this.conversation);
    this.segment = doubled(this.segment);
    this.clientPort = doubled(this.clientPort);
    this.serverPort = doubled(this.serverPort);
    this.protocol = doubled(this.protocol);
    this.addressBytes = doubled(this.addressBytes);
    this.addresses = doubled(this.addresses);
    this.holders = doubled(this.holders);
  }
}
