import { useMemo } from "preact/hooks";
import { Chart } from "../chart/chart.tsx";
import { chartData } from "../chart/points.ts";
import type { TimeseriesAnswer } from "../data/answers.ts";
import { Icon, type IconName } from "../parts/icons.tsx";
import { Answer, Notes } from "../parts/notice.tsx";
import { usePage } from "../state/page.ts";
import { type Split, SPLITS } from "../state/place.ts";
import { useTimeseries, valueName } from "../state/questions.ts";
import { pastRange, type Range, shiftRange, widenRange } from "../state/range.ts";
import { useMedia } from "../state/use-media.ts";
import { useStore } from "../state/use-store.ts";
import { formatBytes, formatDuration } from "../text/format.ts";
import { levelSentence } from "../text/words.ts";

const HEIGHT = 240;

const SPLIT_NAMES: Readonly<Record<Split, string>> = {
  direction: "Sent and received",
  domain: "By name",
  server_port: "By service",
  protocol: "By protocol",
  client: "By client",
};

/** Traffic over time, with the means to move in time. */
export function Throughput() {
  const { place, go } = usePage();
  const by = place.split === "direction" ? undefined : place.split;
  const asked = useTimeseries(by);
  return (
    <section class="card chart-card" aria-label="Traffic over time">
      <div class="card-head">
        <h2>Traffic over time</h2>
        <select
          aria-label="Split the chart"
          value={place.split}
          onChange={(event) => {
            const split = SPLITS.find((one) => one === event.currentTarget.value);
            if (split !== undefined) go({ split }, "replace");
          }}
        >
          {SPLITS.map((split) => (
            <option key={split} value={split}>
              {SPLIT_NAMES[split]}
            </option>
          ))}
        </select>
        <UnitSwitch />
        <TimeButtons />
      </div>
      <Answer asked={asked}>{(answer) => <Traffic answer={answer} by={by} />}</Answer>
    </section>
  );
}

function Traffic({ answer, by }: { answer: TimeseriesAnswer; by: string | undefined }) {
  const { go, client } = usePage();
  const canDrag = useMedia("(pointer: fine)");
  const data = useMemo(() => {
    const nameOf =
      by === undefined
        ? null
        : (key: Record<string, string | number | null>) => valueName(by, key[by] ?? null);
    return chartData(answer, nameOf, client.agentNow());
  }, [answer, by]);
  // Of the answer, not of the place: it may still be the answer to the question before.
  const sinceMs = Date.parse(answer.since);
  const untilMs = Date.parse(answer.until);
  const total = answer.total.bytes.reduce((sum, bytes) => sum + bytes, 0);
  return (
    <>
      <Chart
        data={data}
        sinceMs={sinceMs}
        untilMs={untilMs}
        height={HEIGHT}
        label="Traffic over time"
        onZoom={(from, to) => go({ range: pastRange(from, to), id: null })}
      />
      <p class="chart-foot muted">
        {formatBytes(total)} in {formatDuration(untilMs - sinceMs)}. Each point stands for{" "}
        {formatDuration(answer.step * 1000)}, read from {levelSentence(answer.level)}.
        {canDrag && " Drag to zoom."}
      </p>
      <Notes notes={answer.notes} />
    </>
  );
}

function UnitSwitch() {
  const { unit } = usePage().settings;
  const chosen = useStore(unit);
  return (
    <div class="segments" role="group" aria-label="Unit of rates">
      {(["bits", "bytes"] as const).map((one) => (
        <button key={one} type="button" aria-pressed={one === chosen} onClick={() => unit.set(one)}>
          {one === "bits" ? "bit/s" : "B/s"}
        </button>
      ))}
    </div>
  );
}

const MOVES: readonly { icon: IconName; words: string; move: (range: Range, nowMs: number) => Range }[] = [
  { icon: "earlier", words: "Earlier", move: (range, nowMs) => shiftRange(range, -0.5, nowMs) },
  { icon: "later", words: "Later", move: (range, nowMs) => shiftRange(range, 0.5, nowMs) },
  { icon: "zoomIn", words: "Zoom in", move: (range, nowMs) => widenRange(range, 0.5, nowMs) },
  { icon: "zoomOut", words: "Zoom out", move: (range, nowMs) => widenRange(range, 2, nowMs) },
];

/** Moves in time for those who do not drag. */
function TimeButtons() {
  const { place, go, client } = usePage();
  const isAtEnd = place.range.kind !== "past" || place.range.untilMs >= client.agentNow() - 1000;
  return (
    <div class="tools" role="group" aria-label="Move in time">
      {MOVES.map(({ icon, words, move }) => (
        <button
          key={icon}
          type="button"
          class="quiet"
          aria-label={words}
          title={words}
          disabled={icon === "later" && isAtEnd}
          onClick={() => go({ range: move(place.range, client.agentNow()), id: null })}
        >
          <Icon name={icon} />
        </button>
      ))}
    </div>
  );
}
