import { expect, test } from "vitest";
import { merged, refreshed } from "./lines";

const lines = (...seqs: number[]) => seqs.map((seq) => ({ id: `m${seq}`, seq }));

test("messages_are_merged_by_id_in_their_order", () => {
  expect(merged(lines(1, 3), lines(2, 3))).toEqual(lines(1, 2, 3));
});

test("messages_that_follow_the_known_ones_are_added", () => {
  expect(refreshed(lines(1, 2), lines(3, 4))).toEqual({ lines: lines(1, 2, 3, 4), hasGap: false });
  expect(refreshed(lines(1, 2, 3), lines(2, 3, 4))).toEqual({ lines: lines(1, 2, 3, 4), hasGap: false });
});

test("messages_before_a_gap_are_left_out", () => {
  expect(refreshed(lines(1, 2), lines(60, 61))).toEqual({ lines: lines(60, 61), hasGap: true });
});

test("an_event_that_arrived_before_the_response_hides_no_gap", () => {
  expect(refreshed(lines(1, 2, 62), lines(60, 61))).toEqual({ lines: lines(60, 61, 62), hasGap: true });
});

test("nothing_read_and_nothing_known_have_no_gap", () => {
  expect(refreshed([], lines(5, 6))).toEqual({ lines: lines(5, 6), hasGap: false });
  expect(refreshed(lines(5, 6), [])).toEqual({ lines: lines(5, 6), hasGap: false });
});
