import type { Random } from "./random.ts";

/** Something that is fed random input. */
export interface Target {
  name: string;
  /** One input: byte arrays, such as datagrams one after another. */
  make(random: Random): Uint8Array[];
  /** Gives the input to the code under test. @throws when it breaks what it promises. */
  check(input: readonly Uint8Array[], random: Random): void | Promise<void>;
}
