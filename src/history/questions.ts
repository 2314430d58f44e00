import { loadRegisteredDomains } from "../flow/registered-domain.ts";
import { questionFilter } from "./question-filter.ts";
import { spanOf } from "./question-points.ts";
import { closed, type OpenDatabase, type QuestionConnection, QuestionPool } from "./question-pool.ts";
import { QuestionRun } from "./question-run.ts";
import { limitError, type Progress } from "./question-scan.ts";
import type { Answer, Question, QuestionAnswerer } from "./question-types.ts";

/** The event loop is held for about so long at a time, and a question may take so long in all. */
const SLICE_MS = 4;
const TOTAL_MS = 10_000;
/** Names whose registered domain is remembered. */
const MAX_FOLDED = 8192;

function remembering(registered: (domain: string) => string): (domain: string) => string {
  const known = new Map<string, string>();
  return (domain) => {
    const found = known.get(domain) ?? registered(domain);
    if (known.size >= MAX_FOLDED) known.clear();
    known.set(domain, found);
    return found;
  };
}

/** Answers questions over the database at a path, which others may be writing to. */
export class Questions implements QuestionAnswerer {
  private readonly pool: QuestionPool;
  private readonly running = new Set<Generator<void, Answer | undefined>>();
  private isClosed = false;

  constructor(
    path: string,
    /** Monotonic milliseconds. */
    private readonly clock: () => number,
    openDatabase?: OpenDatabase,
  ) {
    this.pool = new QuestionPool(path, openDatabase);
  }

  /** See QuestionAnswerer. Rejects with the signal's reason when that is aborted, with AyaflowError when history closes. */
  async ask(question: Question): Promise<Answer> {
    const span = spanOf(question);
    const filter = questionFilter(question.filter);
    const isFolded = question.groupBy.includes("registered_domain");
    const registered = isFolded ? remembering(await loadRegisteredDomains()) : (domain: string) => domain;
    const connection = await this.pool.take(question.signal);
    try {
      const progress: Progress = { scanned: 0 };
      // All that is read is of one moment: a row is in its bucket, or not yet.
      connection.db.run("BEGIN");
      const run = new QuestionRun({ ...connection, filter, registered, progress }, question, span);
      return await this.finish(run.answer(), progress, question.signal);
    } finally {
      this.giveBack(connection);
    }
  }

  /** Ends the questions that are being answered. */
  close(): void {
    this.isClosed = true;
    // Ends their statements.
    for (const work of this.running) work.return(undefined);
    this.pool.close();
  }

  private giveBack(connection: QuestionConnection): void {
    if (this.isClosed) return;
    if (connection.db.db.inTransaction) connection.db.run("ROLLBACK");
    this.pool.give(connection);
  }

  private async finish(
    work: Generator<void, Answer | undefined>,
    progress: Progress,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const deadline = this.clock() + TOTAL_MS;
    this.running.add(work);
    try {
      for (;;) {
        const sliceEnd = this.clock() + SLICE_MS;
        do {
          const step = work.next();
          if (step.done !== true) continue;
          if (step.value === undefined) throw closed();
          return step.value;
        } while (this.clock() < sliceEnd);
        await new Promise<void>((resolve) => setImmediate(resolve));
        if (this.isClosed) throw closed();
        signal?.throwIfAborted();
        if (this.clock() >= deadline)
          throw limitError(`the question took over ${TOTAL_MS / 1000} s`, progress);
      }
    } finally {
      this.running.delete(work);
      if (!this.isClosed) work.return(undefined);
    }
  }
}

/** What answers questions over the database at `path`, opened read-only when it is first asked. */
export function createQuestions(
  path: string,
  clock: () => number = () => performance.now(),
  openDatabase?: OpenDatabase,
): Questions {
  return new Questions(path, clock, openDatabase);
}
