import { EntrySorter } from "./question-accumulator.ts";
import type { QuestionFilter } from "./question-filter.ts";
import { Groups, GROUPS_PER_STEP, OTHER } from "./question-groups.ts";
import { readValues } from "./question-keys.ts";
import { ConversationLookup } from "./question-lookup.ts";
import { notesOf } from "./question-notes.ts";
import { bucketMsOf, type Plan, planQuestion, type TimeSpan } from "./question-plan.ts";
import { pointsOf } from "./question-points.ts";
import type { QuestionConnection } from "./question-pool.ts";
import { Ranking } from "./question-ranking.ts";
import { RowSource } from "./question-rows.ts";
import { type Progress, QuestionScan } from "./question-scan.ts";
import type { AnsweredGroup, Answer, Question } from "./question-types.ts";
import type { Level, LevelCoverage } from "./rollup-types.ts";

/** Sums made objects between two looks at the clock. */
const SUMS_PER_STEP = 1024;

/** What a question is answered with. */
export interface RunContext extends QuestionConnection {
  filter: QuestionFilter;
  /** The domain registered for a name. */
  registered: (domain: string) => string;
  progress: Progress;
}

/** Answers one question within a transaction. Each step of the generator takes some milliseconds at most. */
export class QuestionRun {
  private readonly coverage: LevelCoverage[];
  private readonly plan: Plan;
  /** Starts of the points; none without a step. */
  private readonly points: readonly number[];
  private readonly scan: QuestionScan;
  private readonly groups: Groups;
  private readonly sorter: EntrySorter;

  constructor(
    private readonly context: RunContext,
    private readonly question: Question,
    private readonly span: TimeSpan,
  ) {
    const { db, reader, filter, progress } = context;
    const { groupBy, stepMs } = question;
    this.coverage = reader.coverage();
    this.plan = planQuestion({
      ...span,
      ...(stepMs === undefined ? {} : { stepMs }),
      choice: filter.choice,
      coverage: this.coverage,
    });
    this.points = stepMs === undefined ? [] : pointsOf(this.plan, stepMs);
    const [first = 0] = this.points;
    const pointOf = stepMs === undefined ? () => 0 : (ms: number) => Math.floor((ms - first) / stepMs);
    const rows = new RowSource(context, filter.rows, pointOf);
    this.scan = new QuestionScan(rows, reader, this.plan, pointOf, progress);
    this.groups = new Groups(question.order);
    const isAll = groupBy.length === 0;
    const lookup =
      isAll && filter.entries === null
        ? null
        : new ConversationLookup(db, groupBy, filter.entries, context.registered);
    this.sorter = new EntrySorter(lookup, isAll ? this.groups.numberOf("") : OTHER);
  }

  *answer(): Generator<void, Answer> {
    const { question, plan, groups } = this;
    const isOne = question.groupBy.length === 0;
    const hasPoints = question.stepMs !== undefined;
    // One group needs no choosing: a time series of it takes one reading.
    if (!hasPoints || !isOne) yield* this.sumGroups();
    const largest = isOne ? [groups.numberOf("")] : yield* groups.largest(question.limit);
    const ranking = new Ranking(
      largest.map((number) => groups.keyOf(number)),
      hasPoints ? this.points.length : 1,
    );
    if (hasPoints) yield* this.rankPoints(ranking, largest);
    else yield* this.rankSums(ranking, largest);
    ranking.finish();
    const answered = yield* this.answeredGroups(ranking, hasPoints);
    const levels = plan.parts.map(({ level }) => level);
    return {
      groups: answered,
      other: ranking.group(OTHER, [], hasPoints),
      total: ranking.total(hasPoints),
      groupCount: isOne ? answered.length : groups.count(),
      isPruned: groups.isPruned,
      ...(hasPoints ? { pointsMs: this.points } : {}),
      sinceMs: plan.sinceMs,
      untilMs: plan.untilMs,
      level: levels.reduce<Level>((a, b) => (bucketMsOf(a) >= bucketMsOf(b) ? a : b), "raw"),
      parts: plan.parts,
      coverage: this.coverage,
      scanned: this.context.progress.scanned,
      notes: notesOf({
        plan,
        asked: this.span,
        coverage: this.coverage,
        choice: this.context.filter.choice,
        hasStep: hasPoints,
      }),
    };
  }

  private *sumGroups(): Generator<void> {
    const { groups, sorter } = this;
    const numberOf = (key: string) => groups.numberOf(key);
    for (const entries of this.scan.read()) {
      const { columns } = entries;
      yield* sorter.sort(entries, numberOf, (group, index) => groups.sums.add(group, columns, index));
      const renumbered = yield* groups.prune();
      if (renumbered !== null) yield* sorter.renumber(renumbered);
      yield;
    }
  }

  private *rankSums(ranking: Ranking, largest: readonly number[]): Generator<void> {
    for (const [number, rank] of this.ranks(largest).entries()) {
      if (number % GROUPS_PER_STEP === 0) yield;
      ranking.addFrom(rank, this.groups.sums, number);
    }
  }

  /** Reads once more, for the groups that were found to be the largest: memory does not suffice for points of all. */
  private *rankPoints(ranking: Ranking, largest: readonly number[]): Generator<void> {
    const { sorter } = this;
    yield* sorter.renumber(this.ranks(largest));
    const rankOf = new Map(ranking.keys.map((key, index) => [key, index + 1]));
    for (const entries of this.scan.read()) {
      const { columns, points } = entries;
      yield* sorter.sort(
        entries,
        (key) => rankOf.get(key) ?? OTHER,
        (rank, index) => {
          const point = typeof points === "number" ? points : (points[index] ?? 0);
          ranking.add(rank, point, columns, index);
        },
      );
      yield;
    }
  }

  /** The rank of each group by its number, OTHER for those that are not among the largest. */
  private ranks(largest: readonly number[]): Int32Array {
    const ranks = new Int32Array(this.groups.size).fill(OTHER);
    for (const [index, number] of largest.entries()) ranks[number] = index + 1;
    return ranks;
  }

  private *answeredGroups(ranking: Ranking, hasPoints: boolean): Generator<void, AnsweredGroup[]> {
    const values = yield* readValues(this.context.db, this.question.groupBy, ranking.keys);
    const groups: AnsweredGroup[] = [];
    const groupsPerStep = Math.ceil(SUMS_PER_STEP / Math.max(1, this.points.length));
    for (const rank of ranking.bySize(this.question.order)) {
      groups.push(ranking.group(rank, values[rank - 1] ?? [], hasPoints));
      if (groups.length % groupsPerStep === 0) yield;
    }
    return groups;
  }
}
