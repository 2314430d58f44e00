import { healthSchema, type StatsAnswer, statsSchema, storySchema, watchesSeveral } from "./answers.ts";
import { askTable } from "./asking.ts";
import { type AgentClient, AskError } from "./client.ts";
import { onPress } from "./control.ts";
import type { Press } from "./presses.ts";
import { InterfaceRates } from "./rates.ts";
import { placed, type Size, type Table, tableQuestion, type TopState } from "./state.ts";
import { DEFINITIONS } from "./views.ts";
import { errorMessage } from "../errors.ts";

/** Of the throughput: more than any terminal is wide. */
const KEPT_POINTS = 512;
const HEALTH_EVERY_MS = 5000;

/** What is on the screen, kept up to date: takes keys, asks the agent, tells who listens. */
export class Session {
  private current: TopState;
  private readonly agent: AgentClient;
  private readonly intervalMs: number;
  private readonly listeners = new Set<() => void>();
  private readonly rates = new InterfaceRates();
  private readonly life = new AbortController();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private isAsking = false;
  /** Something was asked for while a round was under way. */
  private isAskedAgain = false;
  /** Ends the question about rows that nobody wants any more. */
  private asking = new AbortController();
  private asked = "";
  private tableAtMs = 0;
  private figuresAtMs = Number.NEGATIVE_INFINITY;
  private healthAtMs = Number.NEGATIVE_INFINITY;

  constructor(agent: AgentClient, intervalMs: number, initial: TopState) {
    this.agent = agent;
    this.intervalMs = intervalMs;
    this.current = initial;
  }

  readonly state = (): TopState => this.current;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly press = (presses: readonly Press[]): void => {
    this.change(presses.reduce(onPress, this.current));
    if (this.current.ended !== null) return this.stop();
    this.askIfChanged();
  };

  readonly resize = (size: Size): void => {
    const { cursor } = this.current.places[this.current.view];
    this.change(placed({ ...this.current, size }, cursor));
    this.askIfChanged();
  };

  /** Asks once for all there is to show, then at every interval. Rejects with AskError when that does not work. */
  async start(): Promise<void> {
    await this.askFigures();
    await this.askRows();
    this.schedule();
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.life.abort();
    this.asking.abort();
  }

  private change(next: TopState): void {
    if (next === this.current) return;
    this.current = next;
    for (const listener of this.listeners) listener();
  }

  private schedule(): void {
    if (this.life.signal.aborted) return;
    this.timer = setTimeout(() => void this.tick(), this.intervalMs);
  }

  private async tick(): Promise<void> {
    if (!this.current.isPaused) await this.askAll();
    this.schedule();
  }

  /** What is asked about now; a change of it is asked at once, also while paused. */
  private wanted(): string {
    return JSON.stringify([tableQuestion(this.current), this.current.details?.id]);
  }

  private askIfChanged(): void {
    if (this.wanted() === this.asked) return;
    this.asking.abort();
    void this.askAll();
  }

  /** One round at a time; a question that came meanwhile is asked after it. */
  private async askAll(): Promise<void> {
    this.isAskedAgain = true;
    if (this.isAsking) return;
    this.isAsking = true;
    while (this.isAskedAgain && !this.life.signal.aborted) {
      this.isAskedAgain = false;
      await this.askRound();
    }
    this.isAsking = false;
  }

  private async askRound(): Promise<void> {
    // Rates over a few milliseconds say nothing: figures keep to the interval when a key asks for rows in between.
    const areFiguresDue = performance.now() - this.figuresAtMs >= this.intervalMs / 2;
    try {
      if (areFiguresDue && !this.current.isPaused) await this.askFigures();
      await this.askRows();
      if (this.current.trouble !== null) this.change({ ...this.current, trouble: null });
    } catch (error) {
      if (this.life.signal.aborted) return;
      const since = this.current.trouble?.sinceMs ?? Date.now();
      this.change({ ...this.current, trouble: { sinceMs: since, reason: errorMessage(error) } });
    }
  }

  private async askFigures(): Promise<void> {
    const { signal } = this.life;
    const stats = await this.agent.ask("/api/stats", {}, statsSchema, signal);
    const nowMs = performance.now();
    this.figuresAtMs = nowMs;
    this.rates.take(stats, nowMs);
    let reasons = this.current.figures?.reasons ?? [];
    if (nowMs - this.healthAtMs >= HEALTH_EVERY_MS) {
      ({ reasons } = await this.agent.ask("/api/health", {}, healthSchema, signal));
      this.healthAtMs = nowMs;
    }
    this.change({ ...this.current, ...this.figuresOf(stats, reasons) });
  }

  private figuresOf(
    stats: StatsAnswer,
    reasons: readonly string[],
  ): Pick<TopState, "figures" | "throughput"> {
    const figures = {
      stats,
      reasons,
      bytesInPerSecond: this.rates.total("ingress"),
      bytesOutPerSecond: this.rates.total("egress"),
    };
    const point = watchesSeveral(stats)
      ? stats.bytes_per_second
      : figures.bytesInPerSecond + figures.bytesOutPerSecond;
    // The first answer has nothing to be compared with.
    const points = this.current.figures === null ? [] : [...this.current.throughput, point];
    return { figures, throughput: points.slice(-KEPT_POINTS) };
  }

  private async askRows(): Promise<void> {
    const wanted = this.wanted();
    const { figures, view, details, table } = this.current;
    if (figures === null) return;
    const isNew = wanted !== this.asked || table === null;
    if (!isNew && performance.now() - this.tableAtMs < DEFINITIONS[view].refreshMs) return;
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      if (details === null) await this.askTable(figures.stats, signal);
      else await this.askStory(details.id, signal);
    } catch (error) {
      // Something else is wanted by now, and is asked next.
      if (signal.aborted) return;
      if (!(error instanceof AskError) || error.isAbsent()) throw error;
      this.refused(error);
    }
    this.tableAtMs = performance.now();
    this.asked = wanted;
  }

  private async askTable(stats: StatsAnswer, signal: AbortSignal): Promise<void> {
    this.take(await askTable(this.agent, tableQuestion(this.current), { stats, rates: this.rates }, signal));
  }

  private take(table: Table): void {
    const { view, places, editing, filter, problem } = this.current;
    // What is typed may be further than what was asked.
    const isTaken = editing === null || editing.text.trim() === filter;
    const taken = { ...this.current, table, problem: isTaken ? null : problem };
    this.change(placed(taken, places[view].cursor));
  }

  /** Shows why the agent does not answer this question. */
  private refused({ failure, message, position }: AskError): void {
    const { details, view } = this.current;
    if (details !== null) return this.change({ ...this.current, details: { ...details, problem: message } });
    if (failure === "bad-request") return this.change({ ...this.current, problem: { message, position } });
    this.take({ view, rows: [], offset: 0, total: 0, isCut: false, values: {}, note: message });
  }

  private async askStory(id: string, signal: AbortSignal): Promise<void> {
    const path = `/api/connections/${encodeURIComponent(id)}`;
    const story = await this.agent.ask(path, {}, storySchema, signal);
    const { details } = this.current;
    if (details?.id === id) this.change({ ...this.current, details: { ...details, story, problem: null } });
  }
}
