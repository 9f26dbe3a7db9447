import { expect, test } from "vitest";
import { ApiError, NetworkError } from "../live/graphql";
import { outbox } from "./outbox";

/** An outbox whose server does what the test says, and what reached that server. */
function rig() {
  const taken: string[] = [];
  const server = { fail: null as Error | null };
  let keys = 0;
  const box = outbox(async (text, key) => {
    if (server.fail) throw server.fail;
    taken.push(`${key} ${text}`);
  }, (error) => String(error), () => `k${keys++}`);
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  return { box, taken, server, settle };
}

test("lines_are_sent_one_after_the_other", async () => {
  const { box, taken, settle } = rig();

  box.write("one");
  box.write("two");
  await settle();

  expect(taken).toEqual(["k0 one", "k1 two"]);
  expect(box.lines.value).toEqual([]);
});

test("what_was_written_without_a_line_goes_out_in_order_when_it_is_back", async () => {
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
