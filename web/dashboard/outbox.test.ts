import { expect, test, vi } from "vitest";
import { ApiError, NetworkError } from "../client/src/graphql";
import { type Unsent, outbox } from "./outbox";

/** An outbox with a simulated server, and the messages that reached the server. */
function rig(lines: Unsent[] = []) {
  const taken: string[] = [];
  const server = { fail: null as Error | null };
  let keys = 0;
  let saved: Unsent[] = [];
  const box = outbox(async (text, key) => {
    if (server.fail) throw server.fail;
    taken.push(`${key} ${text}`);
  }, (error) => String(error), { lines, save: (all) => void (saved = all), newKey: () => `k${keys++}` });
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  return { box, taken, server, settle, saved: () => saved };
}

test("messages_are_sent_one_after_the_other", async () => {
  const { box, taken, settle } = rig();

  box.write("one");
  box.write("two");
  await settle();

  expect(taken).toEqual(["k0 one", "k1 two"]);
  expect(box.lines.value).toEqual([]);
});

test("messages_written_while_offline_are_sent_in_order_later", async () => {
  const { box, taken, server, settle } = rig();
  server.fail = new NetworkError("down");
  box.write("one");
  await settle();
  box.write("two");
  await settle();
  expect(box.lines.value.map(({ text }) => text)).toEqual(["one", "two"]);

  server.fail = null;
  box.again();
  await settle();

  expect(taken).toEqual(["k0 one", "k1 two"]);
});

test("a_line_that_lost_its_connection_is_sent_again_after_a_while", async () => {
  vi.useFakeTimers();
  try {
    const { box, taken, server } = rig();
    server.fail = new ApiError("HTTP_502", "restarting", 502);
    box.write("one");
    await vi.advanceTimersByTimeAsync(3_000);
    server.fail = null;
    await vi.advanceTimersByTimeAsync(5_000);

    expect(taken).toEqual(["k0 one"]);
    expect(box.lines.value).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});

test("a_refused_line_waits_for_its_writer", async () => {
  const { box, taken, server, settle } = rig();
  server.fail = new ApiError("CONFLICT", "closed", 200);
  box.write("one");
  await settle();
  server.fail = null;

  box.again();
  await settle();
  expect(taken).toEqual([]);
  box.again("k0");
  await settle();

  expect(taken).toEqual(["k0 one"]);
});

test("a_discarded_line_lets_the_next_one_through", async () => {
  const { box, taken, server, settle } = rig();
  server.fail = new ApiError("CONFLICT", "closed", 200);
  box.write("one");
  await settle();
  box.write("two");
  server.fail = null;

  box.discard("k0");
  await settle();

  expect(taken).toEqual(["k1 two"]);
});

test("unsent_messages_are_saved_and_sent_again_after_a_reload", async () => {
  const before = rig();
  before.server.fail = new NetworkError("down");
  before.box.write("one");
  await before.settle();

  const after = rig(before.saved());
  after.box.again();
  await after.settle();

  expect(after.taken).toEqual(["k0 one"]);
  expect(after.saved()).toEqual([]);
});
