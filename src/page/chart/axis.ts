const DAY_SECONDS = 86_400;

const two = (value: number): string => String(value).padStart(2, "0");

/** Label of a moment on the time axis, in seconds since the epoch; `distance` is that of the labels. */
export function timeLabel(seconds: number, distance: number): string {
  const at = new Date(seconds * 1000);
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
  const day = at.toLocaleDateString("en", { day: "numeric", month: "short" });
  if (distance < 60) return `${clock}:${two(at.getSeconds())}`;
  if (distance >= DAY_SECONDS) return day;
  return clock === "00:00" ? day : clock;
}

/** Some four marks from 0 to `max`, at round multiples of a figure shown `times` larger. */
export function roundMarks(max: number, times: number): number[] {
  if (!(max > 0)) return [0];
  const rough = (max * times) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const marks: number[] = [];
  for (let mark = 0; mark <= max * times * 1.0001; mark += step) marks.push(mark / times);
  return marks;
}
