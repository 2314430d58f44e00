const WIDTH = 120;
const HEIGHT = 28;

/** The course of a figure, beside the figure itself. */
export function Sparkline({ values, capacity }: { values: readonly number[]; capacity: number }) {
  if (values.length < 2)
    return <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" />;
  const highest = Math.max(1, ...values);
  const start = capacity - values.length;
  const points = values.map((value, index) => {
    const x = ((start + index) / (capacity - 1)) * WIDTH;
    return `${x.toFixed(1)},${(HEIGHT - 2 - (value / highest) * (HEIGHT - 4)).toFixed(1)}`;
  });
  const first = ((start / (capacity - 1)) * WIDTH).toFixed(1);
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="sparkline-area" d={`M${first},${HEIGHT}L${points.join("L")}L${WIDTH},${HEIGHT}Z`} />
      <path class="sparkline-line" d={`M${points.join("L")}`} />
    </svg>
  );
}
