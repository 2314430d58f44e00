import type { Statement } from "bun:sqlite";
import { InterfaceSweep } from "./interface-sweep.ts";
import type { InterfaceTable } from "./interfaces.ts";
import { OrphanSweep, type SweepOptions } from "./orphans.ts";
import { SEGMENT_ROWS } from "./segments.ts";

/** Orphans are looked for once this share of the segments, or of a level's parts, is gone. */
const SWEEP_SHARE = 1 / 8;
const SEGMENTS_PER_STEP = 64;
/** Of a row, in a file without gaps. */
const ROW_BYTES = 40;
const MAX_ID = "9223372036854775807";

export interface OrphanOptions extends SweepOptions {
  interfaces: InterfaceTable;
}

/** Deletes segments without rows, and now and then conversations and names that nothing uses any more; in transactions of the caller. */
export class OrphanRetention {
  /** Shares of levels whose parts went without a trace elsewhere, since the last sweep. */
  releasedParts = 0;
  private readonly deleteEmpty: Statement<unknown, [number, number]>;
  private running: OrphanSweep | null = null;
  /** After each sweep of conversations; also at the start, as an end of the process may have been in the way. */
  private names: InterfaceSweep | null;
  private usedBeforeSweep = 0;
  private segmentsGone = 0;
  private isDue = false;

  constructor(private readonly options: OrphanOptions) {
    this.names = this.sweepOfNames();
    this.deleteEmpty = options.db.prepare(
      `DELETE FROM segments WHERE id IN (
         SELECT id FROM segments WHERE last_id < coalesce((SELECT min(id) FROM rows), ${MAX_ID}) AND id <> ?1
         ORDER BY last_id LIMIT ?2)`,
    );
  }

  /** Bytes that were used when the sweep under way began; 0 without one. */
  get usedBefore(): number {
    return this.running === null ? 0 : this.usedBeforeSweep;
  }

  /** About how many bytes all rows take. */
  rowBytes(): number {
    return this.countSegments() * SEGMENT_ROWS * ROW_BYTES;
  }

  /** Forgets a sweep that failed. */
  reset(): void {
    this.running = null;
    if (this.names !== null) this.names = this.sweepOfNames();
  }

  /** Has a sweep begin if anything went since the last one; whether it will. */
  sweepSoon(): boolean {
    this.isDue = this.running === null && (this.segmentsGone > 0 || this.releasedParts > 0);
    return this.isDue;
  }

  /** Deletes segments without rows. They count for a sweep when their rows were the last trace of what they were about. */
  deleteSegments(isReleased: boolean): boolean {
    const gone = this.deleteEmpty.run(this.options.segments.openId, SEGMENTS_PER_STEP).changes;
    if (isReleased) this.segmentsGone += gone;
    return gone > 0;
  }

  /** A little of a sweep, if one is due or under way. False when none is. */
  sweep(usedBytes: number): boolean {
    if (this.running === null) {
      if (!this.isDue && !this.isWorthwhile()) return this.sweepNames();
      this.isDue = false;
      this.segmentsGone = 0;
      this.releasedParts = 0;
      this.usedBeforeSweep = usedBytes;
      this.running = OrphanSweep.begin(this.options, 0);
      this.names = this.sweepOfNames();
      if (this.running === null) return this.sweepNames();
    }
    if (this.running.step()) this.running = OrphanSweep.begin(this.options, this.running.end);
    return true;
  }

  private sweepNames(): boolean {
    if (this.names === null) return false;
    if (this.names.step()) this.names = null;
    return true;
  }

  private sweepOfNames(): InterfaceSweep {
    return new InterfaceSweep(this.options.db, this.options.interfaces);
  }

  private isWorthwhile(): boolean {
    if (this.releasedParts >= SWEEP_SHARE) return true;
    return this.segmentsGone > 0 && this.segmentsGone >= this.countSegments() * SWEEP_SHARE;
  }

  private countSegments(): number {
    return this.options.db.query<{ n: number }, []>("SELECT count(*) AS n FROM segments").get()?.n ?? 0;
  }
}
