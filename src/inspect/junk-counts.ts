/** Packets on a DNS port that are no DNS, one behind the other, after which its payload is left alone. */
const MAX_JUNK = 32;
/** Connections remembered; beyond, all are forgiven. */
const MAX_CONNECTIONS = 4096;

/** Tells a connection that only uses the port of DNS, such as a tunnel, from DNS with a damaged packet. */
export class JunkCounts {
  private readonly counts = new Map<number, number>();

  /** Counts one more packet that could not be read. Returns whether that is too many. */
  add(connection: number): boolean {
    const count = (this.counts.get(connection) ?? 0) + 1;
    if (this.counts.size >= MAX_CONNECTIONS) this.counts.clear();
    this.counts.set(connection, count);
    return count >= MAX_JUNK;
  }

  forget(connection: number): void {
    this.counts.delete(connection);
  }
}
