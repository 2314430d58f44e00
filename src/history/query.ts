import { Database } from "bun:sqlite";
import { AyaflowError, errorMessage } from "../errors.ts";
import { SqlConnection } from "./connection.ts";
import { findConversations, type IdRange, SegmentWalk } from "./candidates.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { sumDomains } from "./domain-sums.ts";
import type { Condition } from "./condition.ts";
import { buildFilter, type Filter, type PortTest } from "./filter.ts";
import { formatItem, type StoredRow } from "./item.ts";
import { coverageOf, readLevels } from "./levels.ts";
import { createQuestions, type Questions } from "./questions.ts";
import type { Answer, Question, QuestionAnswerer } from "./question-types.ts";
import type { LevelCoverage } from "./rollup-types.ts";
import { joinId } from "./rowid.ts";
import { RowScan } from "./scan.ts";
import { timeConditions, timeRange } from "./time-range.ts";
import type { DomainQuery, DomainTotals, HistoryPage, HistoryQuery } from "./types.ts";

const MAX_LIMIT = 1000;
/** A query that takes longer answers what it found and where to go on. */
const BUDGET_MS = 10;
/** With more conversations than this, rows are told by their columns. */
const MAX_LISTED = 256;

function rowConditions(filter: Filter, conversations: ReadonlySet<number> | null): Condition[] {
  if (conversations === null || conversations.size > MAX_LISTED) return filter.row;
  const listed = {
    sql: "r.conversation_id IN (SELECT value FROM json_each(?))",
    bound: [JSON.stringify([...conversations])],
  };
  return [listed, ...filter.row];
}

/** Answers queries over one database, newest rows first, in bounded time each. */
export class HistoryReader implements QuestionAnswerer {
  private readonly walk: SegmentWalk;
  private readonly questions: Questions;

  constructor(
    private readonly db: SqlConnection,
    /** Monotonic milliseconds. */
    private readonly clock: () => number,
  ) {
    this.walk = new SegmentWalk(db);
    this.questions = createQuestions(db.db.filename, clock);
  }

  /**
   * One page. May hold fewer rows than asked for with `has_more` set, when little matches: go on with `next_cursor`.
   * @throws HistoryQueryError for a bad cursor or address, FilterError for a test that history cannot answer.
   */
  query(query: HistoryQuery): HistoryPage {
    const deadline = this.clock() + BUDGET_MS;
    const cursor = query.cursor === undefined ? null : decodeCursor(query.cursor);
    const limit = Math.max(1, Math.min(MAX_LIMIT, Math.floor(query.limit)));
    const offset = query.offset ?? 0;
    const filter = buildFilter(query);
    const range = timeRange(query, cursor);
    const conversations = findConversations(this.db, filter);
    const conditions = rowConditions(filter, conversations);
    const scan = new RowScan(this.db, {
      conditions: [...conditions, ...timeConditions(query)],
      isFiltered: conditions.length > 0,
      weight: filter.weight,
      range,
      wanted: limit + 1,
      skip: cursor?.skip ?? offset,
      isOverdue: () => this.clock() >= deadline,
    });
    if (conversations?.size !== 0) this.run(scan, range, conversations, filter.ports);
    return this.page(scan, limit, offset);
  }

  /** Answers a question whose answer is sums; see QuestionAnswerer. */
  ask(question: Question): Promise<Answer> {
    return this.questions.ask(question);
  }

  /** Sums traffic by domain. Rejects as `ask` does. */
  domains(query: DomainQuery): Promise<DomainTotals> {
    return sumDomains(this.questions, query);
  }

  /** What each level covers now, finest first. */
  coverage(): LevelCoverage[] {
    return coverageOf(readLevels(this.db));
  }

  close(): void {
    this.questions.close();
    this.db.close();
  }

  private run(
    scan: RowScan,
    range: IdRange,
    conversations: ReadonlySet<number> | null,
    ports: readonly PortTest[],
  ): void {
    if (conversations === null && ports.length === 0) {
      scan.scan(range);
      return;
    }
    for (const { rest, found } of this.walk.candidates(range, conversations, ports)) {
      if (!scan.goDownTo(rest)) return;
      if (found !== null && !scan.scan(found)) return;
    }
  }

  private page(scan: RowScan, limit: number, offset: number): HistoryPage {
    const hasExtra = scan.rows.length > limit;
    const rows: StoredRow[] = hasExtra ? scan.rows.slice(0, limit) : scan.rows;
    const last = rows.at(-1);
    const after =
      hasExtra && last !== undefined ? { before: joinId(last.ms, last.sub), skip: 0 } : scan.interrupted;
    return {
      items: rows.map(formatItem),
      limit,
      offset,
      returned: rows.length,
      has_more: after !== null,
      next_cursor: after === null ? null : encodeCursor(after),
    };
  }
}

/**
 * A reader over a database of history: of a path (opened read-only, also while an agent writes to it) or an open one.
 * @throws AyaflowError when the path cannot be opened.
 */
export function createHistoryReader(
  source: string | Database,
  clock: () => number = () => performance.now(),
): HistoryReader {
  if (typeof source !== "string") return new HistoryReader(new SqlConnection(source), clock);
  try {
    return new HistoryReader(new SqlConnection(new Database(source, { readonly: true })), clock);
  } catch (error) {
    throw new AyaflowError(
      `history database ${source}: cannot be read (${errorMessage(error)}). Check the path and its permissions`,
      { cause: error },
    );
  }
}
