// Checks the WCAG formula against published examples in every notation that the server accepts.
import { expect, it } from "vitest";
import { contrast, parseColor } from "./contrast";

it.each([
  ["#000", "#fff", 21], ["#777777", "#ffffff", 4.48], ["#767676", "#fff", 4.54], ["#2563eb", "#ffffff", 5.17],
  ["rgb(0 0 0)", "rgb(100%, 100%, 100%)", 21], ["hsl(0, 0%, 0%)", "hsl(120 0% 100%)", 21], ["#00000080", "#fff", 3.98],
  ["oklch(1 0 0)", "oklch(0% 0 0)", 21], ["oklch(0.628 0.2577 29.23)", "#fff", 4.0],
])("contrast_of %s on %s", (front, back, ratio) => {
  expect(contrast(front, back)).toBeCloseTo(ratio, 1);
});

it("parses_only_the_notations_that_the_server_accepts", () => {
  expect(parseColor("hsl(240 100% 50%)")).toEqual({ r: 0, g: 0, b: 1, a: 1 });
  expect(["", "red", "#12345", "#ggg", "rgb(1,2)", "url(x)", "rgb(a b c)"].map(parseColor)).toEqual(Array(7).fill(null));
  expect(contrast("red", "#fff")).toBeNull();
});
