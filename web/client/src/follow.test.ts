// Checks that each event is delivered once and in order from the last cursor on, whatever the connections do.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Listener, SILENT, type Transport, UPGRADE, delayMs, follow } from "./follow";
import { takeBlocks } from "./sse";

interface Said {
  cursor: string;
}

/** A transport that the test controls. */
function controlled() {
  const calls: Array<{ after: string | null; on: Listener<Said>; isClosed: boolean }> = [];
  const transport: Transport<Said> = (after, on) => {
    const call = { after, on, isClosed: false };
    calls.push(call);
    return () => void (call.isClosed = true);
  };
  return { calls, transport };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("following a stream", () => {
  it("resumes_after_the_last_cursor_and_drops_duplicates", () => {
    const { calls, transport } = controlled();
    const heard: string[] = [];
    const following = follow([transport], { after: "1", onEvent: (e) => heard.push(e.cursor), random: () => 0 });

    calls[0]!.on.opened();
    vi.advanceTimersByTime(60_000);
    calls[0]!.on.event({ cursor: "2" });
    calls[0]!.on.event({ cursor: "3" });
    calls[0]!.on.closed();
    vi.advanceTimersByTime(8000);
    calls[1]!.on.opened();
    calls[1]!.on.event({ cursor: "3" });
    calls[1]!.on.event({ cursor: "4" });

    expect(calls.map((c) => c.after)).toEqual(["1", "3"]);
    expect(heard).toEqual(["2", "3", "4"]);
    expect(following.cursor()).toBe("4");
  });

  it("reports_a_gap_when_the_cursor_has_expired", () => {
    const { calls, transport } = controlled();
    const onGap = vi.fn();
    follow([transport], { after: "9", onEvent: () => {}, onGap });

    calls[0]!.on.opened();
    expect(onGap).not.toHaveBeenCalled();
    calls[0]!.on.closed("CURSOR_EXPIRED");
    vi.advanceTimersByTime(8000);
    calls[1]!.on.opened();

    expect(calls[1]!.after).toBeNull();
    expect(onGap).toHaveBeenCalledOnce();
  });

  it("uses_the_next_transport_only_when_one_never_opened", () => {
    const [first, second] = [controlled(), controlled()];
    follow([first.transport, second.transport], { after: null, onEvent: () => {} });

    first.calls[0]!.on.closed();
    vi.advanceTimersByTime(1000);
    second.calls[0]!.on.opened();
    second.calls[0]!.on.closed();
    vi.advanceTimersByTime(1000);

    expect([first.calls.length, second.calls.length]).toEqual([1, 2]);
  });

  it("stops_when_the_credentials_are_rejected", () => {
    const { calls, transport } = controlled();
    const states: string[] = [];
    follow([transport], { after: null, onEvent: () => {}, onState: (s) => states.push(s) });

    calls[0]!.on.closed("UNAUTHENTICATED");
    vi.advanceTimersByTime(600_000);

    expect(calls.length).toBe(1);
    expect(states).toEqual(["connecting", "refused"]);
  });

  it("ignores_a_connection_that_was_replaced", () => {
    const { calls, transport } = controlled();
    const heard: string[] = [];
    const following = follow([transport], { after: null, onEvent: (e) => heard.push(e.cursor) });

    following.wake();
    calls[1]!.on.opened();
    calls[0]!.on.event({ cursor: "1" });
    calls[0]!.on.closed();
    vi.advanceTimersByTime(600_000);

    expect(calls[0]!.isClosed).toBe(true);
    expect([calls.length, heard.length]).toEqual([2, 0]);
  });

  it("abandons_a_connection_that_never_opens", () => {
    const [first, second] = [controlled(), controlled()];
    follow([first.transport, second.transport], { after: null, onEvent: () => {} });

    vi.advanceTimersByTime(10_600);

    expect(first.calls[0]!.isClosed).toBe(true);
    expect(second.calls.length).toBe(1);
  });

  it("tries_every_transport_at_once_and_returns_to_the_first_after_an_upgrade", () => {
    const [first, second, third] = [controlled(), controlled(), controlled()];
    follow([first.transport, second.transport, third.transport], { after: null, onEvent: () => {} });

    first.calls[0]!.on.closed();
    vi.advanceTimersByTime(1);
    second.calls[0]!.on.opened();
    second.calls[0]!.on.closed(SILENT);
    vi.advanceTimersByTime(1);
    third.calls[0]!.on.opened();
    third.calls[0]!.on.closed(UPGRADE);
    vi.advanceTimersByTime(1);

    expect([first.calls.length, second.calls.length, third.calls.length]).toEqual([2, 1, 1]);
  });

  it("doubles_the_delay_up_to_eight_seconds", () => {
    expect([0, 1, 2, 10, 99].map((n) => delayMs(n, 1))).toEqual([500, 1000, 2000, 8000, 8000]);
    expect(delayMs(3, 0)).toBe(2000);
  });
});

it("takes_complete_blocks_and_keeps_the_incomplete_rest", () => {
  const { blocks, rest } = takeBlocks("id: 7\r\nevent: next\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\n: ping\n\nevent: com");

  expect(blocks).toEqual([{ event: "next", data: "{\"a\":\n1}" }, { event: "message", data: "" }]);
  expect(rest).toBe("event: com");
});
