// Draws the answered and unanswered questions of each day as bars with uPlot. The overview page loads this file only when it shows
// the chart.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

const HEIGHT = 220;
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

/** The part of a day and the maximum width of its bar in pixels. */
const BARS = { size: [0.8, 40] as [number, number] };

export interface Chart {
  /** Moves the cursor to a day, as the pointer does, or removes it. */
  read(at: number | null): void;
  destroy(): void;
}

interface Day {
  date: string;
  questions: { answeredCount: number; unansweredCount: number };
}

/** The color of a token in the color scheme of `place`. A canvas does not resolve `light-dark()`. */
function colorOf(place: HTMLElement, token: string): string {
  const probe = place.appendChild(document.createElement("i"));
  probe.style.color = `var(${token})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/**
 * Draws the chart into `place` and resizes it with `place`. Calls `onRead` with the day under the cursor and its distance from the
 * left edge of `place`.
 */
export function drawDays(place: HTMLElement, days: Day[], onRead: (at: number | null, left: number) => void): Chart {
  const [ink, answered, unanswered, grid] = ["--ink", "--accent", "--warn", "--line"].map((name) => colorOf(place, name)) as [string, string, string, string];
  const axis = { stroke: ink, font: "13px system-ui, sans-serif", gap: 8, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  const bars = (fill: string): uPlot.Series => ({ stroke: fill, fill, width: 0, points: { show: false }, paths: uPlot.paths.bars!(BARS) });
  const times = days.map((day) => Date.parse(day.date) / 1000);
  const plot = new uPlot({
    width: place.clientWidth, height: HEIGHT, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    legend: { show: false }, cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    axes: [{ ...axis, size: 32, values: (_plot, splits) => splits.map((seconds) => DAY.format(seconds * 1000)) }, { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10_000] }],
    // Half a day before and after the days, so that the bars of the first and the last one are whole.
    scales: { x: { range: () => [times[0]! - 43_200, times.at(-1)! + 43_200] }, y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.1)] } },
    // The bar of the unanswered questions covers the lower part of the bar of all questions.
    series: [{}, bars(answered), bars(unanswered)],
    hooks: {
      setCursor: [({ cursor, bbox }) => {
        const isShown = cursor.idx !== null && cursor.idx !== undefined && cursor.left !== undefined && cursor.left >= 0;
        onRead(isShown ? cursor.idx! : null, (cursor.left ?? 0) + bbox.left / devicePixelRatio);
      }],
    },
  }, [times, days.map(({ questions }) => questions.answeredCount + questions.unansweredCount), days.map(({ questions }) => questions.unansweredCount)], place);
  const resize = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
  resize.observe(place);
  return {
    read: (at) => plot.setCursor(at === null ? { left: -10, top: -10 } : { left: plot.valToPos(times[at]!, "x"), top: HEIGHT / 2 }),
    destroy: () => {
      resize.disconnect();
      plot.destroy();
    },
  };
}
