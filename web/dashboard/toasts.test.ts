import { expect, test, vi } from "vitest";
import { finishAll, remove } from "./toasts";

test("a_message_that_makes_room_for_others_does_what_it_waits_for", async () => {
  const deletions = ["a", "b", "c", "d", "e"].map((id) => ({ id, run: vi.fn(async () => {}) }));

  for (const { id, run } of deletions) remove(id, "It was deleted.", run);

  expect(deletions.map(({ run }) => run.mock.calls.length)).toEqual([1, 1, 0, 0, 0]);
  finishAll();
  expect(deletions.map(({ run }) => run.mock.calls.length)).toEqual([1, 1, 1, 1, 1]);
});
