import { expect, test } from "vitest";
import { midnight } from "./days";

test("days_begin_at_midnight_of_the_browser_whatever_the_clocks_did", () => {
  const now = new Date(2026, 10, 2, 15, 30);

  for (const days of [1, 7, 30, 200]) {
    const begin = midnight(days, now);
    expect([begin.getHours(), begin.getMinutes(), begin.getDate()]).toEqual([0, 0, new Date(2026, 10, 2 - days).getDate()]);
  }
});
