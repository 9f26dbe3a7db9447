// Checks the client as a program uses it, against a server that the test plays: requests that are repeated, events that
// continue after lost connections, and live queries whose patches are applied.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Events, Waiting, Vote } from "../../generated/client";
import { createClient } from "./client";
import { docOf } from "./document";

interface Frame {
  id?: string;
  type: string;
  payload?: { query?: string; documentId?: string; variables?: Record<string, unknown>; extensions?: unknown };
}

/** A WebSocket whose server is the test. */
class FakeSocket {
  static all: FakeSocket[] = [];
  sent: Frame[] = [];
  isClosed = false;
  readyState = 0;
  closedIn: number[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(readonly url: string, readonly protocol: string) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Frame);
  }

  close(): void {
    this.closedIn.push(this.readyState);
    this.isClosed = true;
  }

  /** Accepts the connection. Returns the request of the client. */
  accept(): NonNullable<Frame["payload"]> {
    this.readyState = 1;
    this.onopen?.();
    this.say({ type: "connection_ack" });
    return this.sent.find(({ type }) => type === "subscribe")!.payload!;
  }

  say(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  next(payload: object): void {
    this.say({ id: "1", type: "next", payload });
  }

  event(cursor: string): void {
    this.next({ data: { conversationEvents: { cursor, type: "CONVERSATION_CREATED" } } });
  }

  cut(code = 1006): void {
    this.onclose?.({ code });
  }
}

const socket = (n: number) => FakeSocket.all[n]!;
const client = createClient({ url: "https://help.example/", key: "sk_1", sessionToken: () => "token" });
const VOTE = { input: { conversationId: "conv_1", feedback: "HELPFUL" as const } };
const requests: Array<{ url: string; headers: Record<string, string>; body: Record<string, unknown> }> = [];

/** Answers the requests with these responses, one after the other. */
function respond(...responses: Array<() => Response>): void {
  vi.stubGlobal("fetch", async (url: string, init: { headers: Record<string, string>; body: string }) => {
    requests.push({ url, headers: init.headers, body: JSON.parse(init.body) });
    const response = responses.shift();
    if (!response) throw new TypeError("no response is left");
    return response();
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.all = [];
  requests.length = 0;
  vi.stubGlobal("WebSocket", FakeSocket);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const voted = () => Response.json({ data: { submitFeedback: { conversation: { id: "conv_1", feedback: "HELPFUL" }, userErrors: [] } } });

describe("running an operation", () => {
  it("repeats_a_request_with_the_same_idempotency_key_until_the_server_is_reached", async () => {
    respond(() => new Response("", { status: 503 }), () => { throw new TypeError("connection refused"); }, voted);

    const result = client.run(Vote, VOTE, { attempts: 5 });
    await vi.advanceTimersByTimeAsync(20_000);

    expect((await result).submitFeedback.conversation?.feedback).toBe("HELPFUL");
    expect(requests.map(({ url }) => url)).toEqual(Array(3).fill("https://help.example/graphql"));
    expect(new Set(requests.map(({ headers }) => headers["Idempotency-Key"])).size).toBe(1);
    expect(requests[0]!.headers).toMatchObject({ Authorization: "Bearer sk_1", "X-HelpBot-Session": "token" });
  });

  it("waits_as_long_as_the_server_asks", async () => {
    const limited = () => Response.json({ errors: [{ message: "Too many requests.", extensions: { code: "RATE_LIMITED", retryAfter: 7 } }] }, { status: 429 });
    respond(limited, voted);

    const result = client.run(Vote, VOTE, { attempts: 2 });
    await vi.advanceTimersByTimeAsync(6_999);
    expect(requests.length).toBe(1);
    await vi.advanceTimersByTimeAsync(1);

    expect((await result).submitFeedback.userErrors).toEqual([]);
  });

  it("does_not_repeat_a_request_that_the_server_refused", async () => {
    respond(() => Response.json({ errors: [{ message: "Not allowed.", extensions: { code: "FORBIDDEN" } }] }));

    await expect(client.run(Vote, VOTE, { attempts: 5 })).rejects.toMatchObject({ code: "FORBIDDEN" });
    expect(requests.length).toBe(1);
  });

  it("accepts_documents_of_other_generators_and_plain_texts", () => {
    class Generated extends String {
      __meta__ = { hash: "sha256:1" };
    }
    expect(docOf(new Generated("{ a }") as never)).toEqual({ id: "sha256:1", text: "{ a }" });
    expect(docOf("{ b }")).toEqual({ id: undefined, text: "{ b }" });
    expect(docOf(Vote)).toBe(Vote);
  });
});

describe("events", () => {
  it("each_event_is_yielded_once_and_in_order_through_lost_connections", async () => {
    const events = client.events(Events, { siteId: "site_1" }, { after: "1" });
    const first = events.next();
    expect(socket(0).accept().variables).toEqual({ siteId: "site_1", after: "1" });
    expect(socket(0).sent[0]!.payload).toMatchObject({ authorization: "Bearer sk_1", sessionToken: "token" });
    socket(0).event("2");
    expect((await first).value?.cursor).toBe("2");

    socket(0).cut();
    await vi.advanceTimersByTimeAsync(8_000);
    expect(socket(1).accept().variables).toMatchObject({ after: "2" });
    socket(1).event("2");
    socket(1).event("3");

    expect((await events.next()).value?.cursor).toBe("3");
    await events.return(undefined);
    expect(socket(1).isClosed).toBe(true);
  });

  it("missing_events_are_an_error", async () => {
    const events = client.events(Events, {}, { after: "1" });
    const first = expect(events.next()).rejects.toMatchObject({ code: "CURSOR_EXPIRED" });
    socket(0).accept();
    socket(0).say({ id: "1", type: "error", payload: [{ message: "Too old.", extensions: { code: "CURSOR_EXPIRED" } }] });
    await vi.advanceTimersByTimeAsync(8_000);
    socket(1).accept();

    await first;
  });

  it("a_refusal_ends_them_with_its_code", async () => {
    const events = client.events(Events, {});
    const first = expect(events.next()).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    socket(0).cut(4401);

    await first;
    expect(FakeSocket.all.length).toBe(1);
  });

  it("a_signal_ends_them", async () => {
    const abort = new AbortController();
    const events = client.events(Events, {}, { signal: abort.signal });
    const first = events.next();
    socket(0).accept();
    abort.abort();

    expect((await first).done).toBe(true);
    expect(socket(0).isClosed).toBe(true);
  });

  it("a_socket_that_is_no_longer_needed_is_closed_when_it_opens_and_after_a_second_at_the_latest", async () => {
    for (const opens of [true, false]) {
      FakeSocket.all = [];
      const abort = new AbortController();
      const first = client.events(Events, {}, { signal: abort.signal }).next();
      abort.abort();
      expect((await first).done).toBe(true);
      expect(socket(0).closedIn).toEqual([]);

      if (opens) {
        socket(0).readyState = 1;
        socket(0).onopen?.();
      }
      await vi.advanceTimersByTimeAsync(1_000);

      expect(socket(0).closedIn[0]).toBe(opens ? 1 : 0);
      expect(socket(0).sent).toEqual([]);
    }
  });
});

describe("live queries", () => {
  const conversation = (id: string, question: string) => ({ id, question });
  const first = { site: { id: "site_1", conversations: { totalCount: 2, nodes: [conversation("a", "A?"), conversation("b", "B?")] } } };

  function follow() {
    const shown: Array<typeof first> = [];
    const following = client.live(Waiting, {}, (result) => shown.push(result as unknown as typeof first));
    expect(socket(0).accept()).toMatchObject({ extensions: { livePatches: true } });
    socket(0).next({ data: first, isLive: true, revision: 1 });
    return { shown, following };
  }

  it("patches_are_applied_and_unchanged_parts_stay_the_same_objects", () => {
    const { shown } = follow();
    socket(0).next({ revision: 2, isLive: true, patch: [
      { op: "add", path: "/site/conversations/nodes/0", value: conversation("c", "C?") },
      { op: "replace", path: "/site/conversations/totalCount", value: 3 },
      { op: "replace", path: "/site/conversations/nodes/1/question", value: "A/~?" },
    ] });
    socket(0).next({ revision: 3, isLive: true, patch: [{ op: "remove", path: "/site/conversations/nodes/2" }, { op: "add", path: "/site/x~1y~0", value: 1 }] });

    const nodes = shown[1]!.site.conversations.nodes;
    expect(nodes.map(({ question }) => question)).toEqual(["C?", "A/~?", "B?"]);
    expect(nodes[2]).toBe(shown[0]!.site.conversations.nodes[1]);
    expect(shown[0]).toEqual(first);
    expect(shown[2]!.site).toMatchObject({ "x/y~": 1, conversations: { totalCount: 3, nodes: [{ id: "c" }, { id: "a" }] } });
  });

  it("the_query_is_run_every_few_seconds_where_streams_are_blocked_until_it_is_stopped", async () => {
    const count = (totalCount: number) => () => Response.json({ data: { site: { id: "site_1", conversations: { totalCount, nodes: [] } } } });
    respond(() => { throw new TypeError("blocked"); }, count(1), count(2), count(3));
    const shown: number[] = [];
    const states: string[] = [];

    const following = client.live(Waiting, {}, (result) => shown.push(result.site!.conversations!.totalCount), (state) => states.push(state));
    socket(0).cut();
    await vi.advanceTimersByTimeAsync(3_500);
    expect(shown).toEqual([1, 2]);
    following.stop();
    await vi.advanceTimersByTimeAsync(8_000);

    expect(shown).toEqual([1, 2]);
    expect(states.at(-1)).toBe("live");
    expect(requests.map(({ url }) => url.split("/").at(-1))).toEqual(["stream", "graphql", "graphql"]);
  });

  it("a_new_connection_begins_with_the_newest_result", async () => {
    const { shown, following } = follow();
    socket(0).cut();
    await vi.advanceTimersByTimeAsync(8_000);
    socket(1).accept();
    socket(1).next({ data: { site: null }, isLive: true, revision: 1 });

    expect(shown[1]).toEqual({ site: null });
    following.stop();
    expect(socket(1).isClosed).toBe(true);
  });

  it("a_missing_patch_begins_a_new_connection", async () => {
    const { shown } = follow();
    socket(0).next({ revision: 3, isLive: true, patch: [{ op: "replace", path: "/site/id", value: "wrong" }] });
    await vi.advanceTimersByTimeAsync(8_000);

    expect(shown.length).toBe(1);
    expect(socket(0).isClosed).toBe(true);
    expect(FakeSocket.all.length).toBe(2);
  });
});
