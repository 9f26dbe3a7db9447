import { beforeEach, expect, test, vi } from "vitest";
import { ApiError, NetworkError } from "../client/src/graphql";
import type { Answer, Backend, ConversationNow, Followers } from "./backend";
import { Chat } from "./chat";
import { type Session, emptyState } from "./state";
import { Store } from "./store";

const SESSION: Session = { id: "s", token: "st_1" };
const NOTES = { handoffSent: "sent", ended: "ended", reopened: "reopened", newSession: "new session" };

const answer = (change: Partial<Answer> = {}): Answer => ({ conversationId: "conv_1", text: "Yes.", links: [], suggestions: [], answered: true, session: SESSION, status: null, ...change });

/** A chat with a simulated server. */
function rig() {
  const followers: Followers[] = [];
  const backend = {
    canSay: true,
    ask: vi.fn<Backend["ask"]>(async () => answer()),
    vote: vi.fn<Backend["vote"]>(async () => {}),
    handoff: vi.fn<Backend["handoff"]>(async (_session, id) => ({ id: id ?? "conv_new", session: SESSION })),
    run: null,
    say: vi.fn<Backend["say"]>(async (_session, _id, text) => ({ id: `msg_${text}`, seq: 3, author: "VISITOR", agentName: null, text, createdAt: "" })),
    current: vi.fn<Backend["current"]>(async (_session, ids) => ids.map((id) => ({ id, status: store.state.handoffs[id] ?? null, messages: [] }))),
    follow: vi.fn<Backend["follow"]>((_session, _cursor, on) => {
      followers.push(on);
      return { stop: () => {}, wake: () => {}, cursor: () => null };
    }),
    tellTyping: vi.fn(),
    watchTeam: vi.fn(() => () => {}),
  } satisfies Backend;
  const store = new Store("test", null);
  const closed = vi.fn<(conversationId: string) => void>();
  const chat = new Chat(store, backend, NOTES, { changed: () => {}, writing: () => {}, answered: () => {}, heard: () => {}, teamTyping: () => {}, closed });
  chat.start();
  const texts = () => store.state.entries.map(({ text }) => text);
  return { backend, chat, store, texts, followers, closed, settle: () => new Promise((resolve) => setTimeout(resolve, 5)) };
}

beforeEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** A rig whose visitor is in a chat with the team, under a simulated clock. */
async function rigWithTeam() {
  vi.useFakeTimers();
  const made = rig();
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  made.chat.send("Open?");
  await pass(1_000);
  await made.chat.handoff("conv_1", null);
  return { ...made, pass, said: () => made.backend.say.mock.calls.map(([, , text]) => text) };
}
const tooFast = new ApiError("RATE_LIMITED", "Too many requests. Try again later.", 200);

test("a_first_question_begins_a_session_with_a_token", async () => {
  const { chat, store, backend, settle, texts } = rig();

  chat.send("Open?");
  await settle();

  expect(backend.ask.mock.calls[0]![0]).toBeNull();
  expect(store.state.session).toEqual(SESSION);
  expect(texts()).toEqual(["Open?", "Yes."]);
});

test("an_answer_whose_token_was_lost_is_asked_again_in_a_new_session", async () => {
  const { chat, store, backend, settle, texts } = rig();
  backend.ask.mockResolvedValueOnce(answer({ session: null, conversationId: "conv_lost" }));

  chat.send("Open?");
  await settle();

  const [first, second] = backend.ask.mock.calls;
  expect(second![2]).not.toBe(first![2]);
  expect(store.state.session).toEqual(SESSION);
  expect(texts()).toEqual(["Open?", "Yes."]);
});

test("a_refused_token_begins_a_new_session", async () => {
  const { chat, store, backend, settle, texts } = rig();
  chat.send("Open?");
  await settle();
  backend.ask.mockRejectedValueOnce(new ApiError("UNAUTHENTICATED", "Invalid session token", 401));
  backend.ask.mockResolvedValueOnce(answer({ conversationId: "conv_2", session: { id: "t", token: "st_2" } }));

  chat.send("And now?");
  await settle();

  expect(store.state.session).toEqual({ id: "t", token: "st_2" });
  expect(texts()).toEqual(["Open?", "Yes.", "And now?", "new session", "Yes."]);
});

test("a_question_that_the_bot_must_not_answer_goes_to_the_team", async () => {
  const { chat, backend, settle } = rig();
  chat.send("Open?");
  await settle();
  backend.ask.mockRejectedValueOnce(new ApiError("CONFLICT", "A member is in this conversation", 200));
  backend.current.mockResolvedValue([{ id: "conv_1", status: "ASSIGNED", messages: [] }]);

  chat.send("Still there?");
  await settle();

  expect(backend.say).toHaveBeenCalledWith(SESSION, "conv_1", "Still there?", expect.any(String));
});

test("a_state_that_was_read_before_an_event_does_not_undo_it", async () => {
  const { chat, backend, settle, texts, followers } = rig();
  chat.send("Open?");
  await settle();
  await chat.handoff("conv_1", null);
  let respond = (_: ConversationNow[]) => {};
  backend.current.mockImplementationOnce(() => new Promise((resolve) => void (respond = resolve)));
  followers.at(-1)!.state("live");
  await settle();

  followers.at(-1)!.event({ cursor: "c", type: "CONVERSATION_RESOLVED", conversationId: "conv_1", conversation: { id: "conv_1", handoff: { status: "RESOLVED" } }, message: null });
  respond([{ id: "conv_1", status: "REQUESTED", messages: [] }]);
  await settle();

  expect(texts()).toEqual(["Open?", "Yes.", "sent", "ended"]);
});

test("a_visitor_who_asks_for_a_human_before_the_first_question_talks_to_the_team", async () => {
  const { chat, backend, settle, store, texts } = rig();

  await chat.handoff(null, "ada@example.org");
  chat.send("Hello?");
  await settle();

  expect(store.state.session).toEqual(SESSION);
  expect(backend.say).toHaveBeenCalledWith(SESSION, "conv_new", "Hello?", expect.any(String));
  expect(texts()).toEqual(["sent", "Hello?"]);
});

test("a_question_that_asks_for_a_human_in_words_goes_to_the_team", async () => {
  const { chat, backend, settle } = rig();
  backend.ask.mockResolvedValueOnce(answer({ text: "Our team knows.", status: "REQUESTED" }));

  chat.send("I want to talk to a human");
  await settle();
  chat.send("Are you there?");
  await settle();

  expect(backend.say).toHaveBeenCalledWith(SESSION, "conv_1", "Are you there?", expect.any(String));
});

test("the_panel_learns_once_that_the_team_has_closed_a_conversation", async () => {
  const { chat, settle, closed, followers } = rig();
  chat.send("Open?");
  await settle();
  await chat.handoff("conv_1", null);
  const event = { cursor: "c", type: "CONVERSATION_RESOLVED" as const, conversationId: "conv_1", conversation: { id: "conv_1", handoff: { status: "RESOLVED" as const } }, message: null };

  followers.at(-1)!.event(event);
  followers.at(-1)!.event({ ...event, cursor: "d", type: "CONVERSATION_HANDOFF" });

  expect(closed.mock.calls).toEqual([["conv_1"]]);
});

test("a_message_to_a_closed_conversation_goes_to_the_bot", async () => {
  const { chat, backend, settle, texts } = rig();
  chat.send("Open?");
  await settle();
  await chat.handoff("conv_1", null);
  backend.say.mockRejectedValueOnce(new ApiError("CONFLICT", "It is closed", 200));
  backend.current.mockResolvedValue([{ id: "conv_1", status: "RESOLVED", messages: [] }]);
  backend.ask.mockResolvedValueOnce(answer({ conversationId: "conv_2", text: "Also yes." }));

  chat.send("And tomorrow?");
  await settle();

  expect(texts()).toEqual(["Open?", "Yes.", "sent", "And tomorrow?", "ended", "Also yes."]);
});

test("late_answers_are_dropped_after_starting_again", async () => {
  const { chat, backend, settle, texts } = rig();
  let finish = (_: Answer) => {};
  backend.ask.mockImplementationOnce(() => new Promise((resolve) => void (finish = resolve)));
  chat.send("Open?");
  await settle();

  chat.restart();
  finish(answer());
  await settle();

  expect(texts()).toEqual([]);
  expect(chat.isBusy).toBe(false);
});

test("undelivered_messages_are_sent_in_order_when_the_connection_is_back", async () => {
  const { chat, backend, settle, store, followers } = rig();
  chat.send("Open?");
  await settle();
  await chat.handoff("conv_1", null);
  backend.say.mockRejectedValue(new NetworkError("down"));
  chat.send("one");
  chat.send("two");
  await settle();
  expect(store.state.entries.filter((entry) => entry.kind === "visitor" && entry.fault).length).toBe(2);

  backend.say.mockReset();
  backend.say.mockImplementation(async (_session, _id, text) => ({ id: `msg_${text}`, seq: 3, author: "VISITOR", agentName: null, text, createdAt: "" }));
  followers.at(-1)!.state("live");
  await settle();

  expect(backend.say.mock.calls.map(([, , text]) => text)).toEqual(["one", "two"]);
  expect(store.state.entries.some((entry) => entry.kind === "visitor" && entry.fault)).toBe(false);
});

test("messages_that_are_written_too_fast_are_delivered_later_and_in_order", async () => {
  const { chat, backend, store, pass, said } = await rigWithTeam();
  backend.say.mockRejectedValueOnce(tooFast).mockRejectedValueOnce(tooFast);

  chat.send("one");
  chat.send("two");
  await pass(100);
  expect(store.state.entries.slice(-2)).toMatchObject([{ text: "one", fault: "rate" }, { text: "two", fault: "rate" }]);
  await pass(10_000);

  expect(said()).toEqual(["one", "one", "one", "two"]);
  expect(store.state.entries.slice(-2)).toMatchObject([{ id: "msg_one" }, { id: "msg_two" }]);
});

test("a_message_is_sent_again_although_the_connection_for_events_stays_open", async () => {
  for (const error of [new NetworkError("reset"), new ApiError("HTTP_503", "restarting", 503), new ApiError("UNAVAILABLE", "busy", 200), new ApiError("INTERNAL", "failed", 200)]) {
    const { chat, backend, pass, store } = await rigWithTeam();
    backend.say.mockRejectedValueOnce(error);

    chat.send("one");
    await pass(5_000);

    expect(store.state.entries.at(-1)).toMatchObject({ text: "one", id: "msg_one" });
  }
});

test("a_message_that_the_server_does_not_accept_holds_back_the_others_only_for_a_while", async () => {
  const { chat, backend, pass, store } = await rigWithTeam();
  const deliver = backend.say.getMockImplementation()!;
  backend.say.mockImplementation(async (session, id, text, key) => {
    if (text === "one") throw new ApiError("INTERNAL", "failed", 200);
    return deliver(session, id, text, key);
  });

  chat.send("one");
  chat.send("two");
  await pass(10_000);
  expect(store.state.entries.at(-1)).not.toHaveProperty("id");
  await pass(110_000);

  expect(store.state.entries.slice(-2)).toMatchObject([{ text: "one", fault: "server" }, { text: "two", id: "msg_two" }]);
  const { length } = backend.say.mock.calls;
  await pass(600_000);
  expect(backend.say.mock.calls.length).toBe(length);
});

test("a_message_of_a_closed_tab_is_delivered_by_another_one", async () => {
  const { pass, store, said } = await rigWithTeam();

  store.update((state) => void state.entries.push({ kind: "visitor", key: "k", text: "left", to: "team", sender: "closed tab", since: Date.now() }));
  await pass(5_000);
  expect(said()).toEqual([]);
  await pass(5_000);

  expect(said()).toEqual(["left"]);
});

test("a_question_of_a_closed_tab_can_be_asked_again", async () => {
  vi.useFakeTimers();
  const { store, chat, backend } = rig();
  const isWaiting = () => store.state.entries.some((entry) => entry.kind === "visitor" && entry.sender);

  store.update((state) => void state.entries.push({ kind: "visitor", key: "k", text: "Open?", to: "bot", sender: "closed tab", since: Date.now() }));
  await vi.advanceTimersByTimeAsync(50_000);
  expect(isWaiting()).toBe(true);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(isWaiting()).toBe(false);
  chat.retry("k");
  await vi.advanceTimersByTimeAsync(1_000);

  expect(backend.ask).toHaveBeenCalledTimes(1);
  expect(store.state.entries.at(-1)).toMatchObject({ kind: "bot", text: "Yes." });
});

test("a_chat_that_another_tab_starts_again_accepts_questions_and_messages", async () => {
  const { chat, backend, pass, store, said } = await rigWithTeam();
  backend.say.mockImplementationOnce(() => new Promise(() => {}));
  backend.ask.mockImplementationOnce(() => new Promise(() => {}));
  chat.send("never ends");
  await pass(100);

  store.update((state) => void Object.assign(state, emptyState("other", Date.now())));
  chat.send("never ends either");
  await pass(1_000);
  store.update((state) => void Object.assign(state, emptyState("another", Date.now())));
  expect(chat.send("Open?")).toBe(true);
  await pass(1_000);
  await chat.handoff("conv_1", null);
  chat.send("hello");
  await pass(1_000);

  expect(said()).toEqual(["never ends", "hello"]);
});

test("all_messages_behind_a_refused_token_are_asked_in_order", async () => {
  const { chat, backend, pass, store } = await rigWithTeam();
  backend.say.mockRejectedValueOnce(new ApiError("UNAUTHENTICATED", "Invalid session token", 401));
  backend.ask.mockImplementation(async (_session, question) => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return answer({ conversationId: `conv_${question}`, text: `To ${question}`, session: { id: "t", token: "st_2" } });
  });

  chat.send("one");
  chat.send("two");
  await pass(10_000);

  expect(backend.ask.mock.calls.slice(1).map(([session, question]) => [session?.id, question])).toEqual([[undefined, "one"], ["t", "two"]]);
  expect(store.state.entries.some((entry) => entry.kind === "visitor" && (entry.sender || entry.fault))).toBe(false);
});

test("a_conversation_that_was_erased_no_longer_takes_messages", async () => {
  const { chat, backend, pass } = await rigWithTeam();
  backend.current.mockResolvedValue([]);
  backend.say.mockRejectedValueOnce(new ApiError("NOT_FOUND", "No such conversation", 200));

  chat.send("Still there?");
  await pass(1_000);

  expect(backend.ask.mock.calls.at(-1)![1]).toBe("Still there?");
});

test("a_request_for_a_human_is_repeated_while_the_connection_fails", async () => {
  const { chat, backend, settle, texts } = rig();
  chat.send("Open?");
  await settle();
  backend.handoff.mockRejectedValueOnce(new NetworkError("reset"));

  await chat.handoff("conv_1", "ada@example.org");

  expect(backend.handoff).toHaveBeenCalledTimes(2);
  expect(texts().at(-1)).toBe("sent");
});

test("faults_have_a_reason", async () => {
  for (const [code, fault] of [["CREDITS_EXHAUSTED", "credits"], ["CREDIT_CAP_REACHED", "credits"], ["VISITOR_BLOCKED", "credits"], ["RATE_LIMITED", "rate"], ["LIMIT_REACHED", "full"], ["UNAVAILABLE", "network"], ["INTERNAL", "server"]] as const) {
    const { chat, backend, settle, store } = rig();
    backend.ask.mockRejectedValueOnce(new ApiError(code, "refused", 200));

    chat.send("Open?");
    await settle();

    expect(store.state.entries).toMatchObject([{ kind: "visitor", fault }]);
  }
});

test("a_question_that_another_tab_had_answered_does_not_fail_later", async () => {
  const { chat, backend, store, settle } = rig();
  let fail = (_error: unknown) => {};
  backend.ask.mockImplementationOnce(() => new Promise((_resolve, reject) => (fail = reject)));
  chat.send("Open?");
  await settle();

  store.update(({ entries }) => {
    const [entry] = entries;
    if (entry?.kind === "visitor") delete entry.sender;
  });
  fail(new NetworkError("The page was frozen."));
  await settle();

  expect(store.state.entries[0]).not.toHaveProperty("fault");
});
