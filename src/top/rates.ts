import type { StatsAnswer } from "./answers.ts";

const keyOf = (name: string, direction: string): string => `${direction} ${name}`;

/** Bytes a second of each interface and direction, between the last two answers. */
export class InterfaceRates {
  private bytes = new Map<string, number>();
  private rates = new Map<string, number>();
  private atMs: number | null = null;

  /** Takes an answer that came at `nowMs` of a clock that only goes forward. */
  take(stats: StatsAnswer, nowMs: number): void {
    const bytes = new Map(stats.interfaces.map((one) => [keyOf(one.interface, one.direction), one.bytes]));
    const seconds = this.atMs === null ? 0 : (nowMs - this.atMs) / 1000;
    this.rates = new Map(
      [...bytes].map(([key, now]) => {
        // Counters that went back are those of an agent that was started again.
        const grown = Math.max(0, now - (this.bytes.get(key) ?? now));
        return [key, seconds <= 0 ? 0 : grown / seconds];
      }),
    );
    this.bytes = bytes;
    this.atMs = nowMs;
  }

  /** 0 for what is not known. */
  of(name: string, direction: string): number {
    return this.rates.get(keyOf(name, direction)) ?? 0;
  }

  /** Of all interfaces together. */
  total(direction: string): number {
    const own = [...this.rates].filter(([key]) => key.startsWith(`${direction} `));
    return own.reduce((sum, [, rate]) => sum + rate, 0);
  }
}
