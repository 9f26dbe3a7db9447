// Draws the questions of each day as a line chart with uPlot. The overview page loads this file only when it shows the chart.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

const HEIGHT = 220;
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

/** The color of a token in the color scheme of `place`. A canvas does not resolve `light-dark()`. */
function colorOf(place: HTMLElement, token: string): string {
  const probe = place.appendChild(document.createElement("i"));
  probe.style.color = `var(${token})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Draws the chart into `place` and resizes it with `place`. Returns a function that removes the chart. */
export function drawActivity(place: HTMLElement, days: Array<{ date: string; count: number }>): () => void {
  const [ink, line, grid] = ["--ink", "--accent", "--line"].map((name) => colorOf(place, name)) as [string, string, string];
  const axis = { stroke: ink, font: "13px system-ui, sans-serif", gap: 8, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  const plot = new uPlot({
    width: place.clientWidth, height: HEIGHT, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    legend: { show: false }, cursor: { y: false },
    axes: [{ ...axis, size: 32, values: (_plot, splits) => splits.map((seconds) => DAY.format(seconds * 1000)) }, { ...axis, size: 40, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10_000] }],
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(4, high * 1.1)] } },
    series: [{}, { stroke: line, width: 2, fill: `color-mix(in srgb, ${line} 14%, transparent)`, points: { show: days.length < 40 } }],
  }, [days.map((day) => Date.parse(day.date) / 1000), days.map((day) => day.count)], place);
  const resize = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
  resize.observe(place);
  return () => {
    resize.disconnect();
    plot.destroy();
  };
}
