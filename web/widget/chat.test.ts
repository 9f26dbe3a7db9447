import { beforeEach, expect, test, vi } from "vitest";
import { ApiError, NetworkError } from "../live/graphql";
import type { Answer, Backend, Followers } from "./backend";
import { Chat } from "./chat";
import type { Session } from "./state";
import { Store } from "./store";

const SESSION: Session = { id: "s", token: "st_1" };
const NOTES = { handoffSent: "sent", ended: "ended", reopened: "reopened", newSession: "new session" };

const answer = (change: Partial<Answer> = {}): Answer => ({ conversationId: "conv_1", text: "Yes.", links: [], suggestions: [], answered: true, session: SESSION, ...change });

/** A chat with a simulated server. */
function rig() {
  const followers: Followers[] = [];
  const backend = {
    canSay: true,
    ask: vi.fn<Backend["ask"]>(async () => answer()),
    vote: vi.fn<Backend["vote"]>(async () => {}),
    handoff: vi.fn<Backend["handoff"]>(async () => {}),
    transcript: null,
    say: vi.fn<Backend["say"]>(async (_session, _id, text) => ({ id: `msg_${text}`, seq: 3, author: "VISITOR", agentName: null, text, createdAt: "" })),
    current: vi.fn<Backend["current"]>(async () => []),
    follow: vi.fn<Backend["follow"]>((_session, _cursor, on) => {
      followers.push(on);
      return { stop: () => {}, wake: () => {}, cursor: () => null };
    }),
    tellTyping: vi.fn(),
    watchTeam: vi.fn(() => () => {}),
  } satisfies Backend;
  const store = new Store("test", null);
  const chat = new Chat(store, backend, NOTES, { changed: () => {}, writing: () => {}, answered: () => {}, heard: () => {}, teamTyping: () => {} });
  chat.start();
  const texts = () => store.state.entries.map(({ text }) => text);
  return { backend, chat, store, texts, followers, settle: () => new Promise((resolve) => setTimeout(resolve, 5)) };
}

beforeEach(() => void vi.restoreAllMocks());

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
  for (const [code, fault] of [["CREDITS_EXHAUSTED", "credits"], ["CREDIT_CAP_REACHED", "credits"], ["VISITOR_BLOCKED", "credits"], ["RATE_LIMITED", "rate"], ["INTERNAL", "server"]] as const) {
    const { chat, backend, settle, store } = rig();
    backend.ask.mockRejectedValueOnce(new ApiError(code, "refused", 200));

    chat.send("Open?");
    await settle();

    expect(store.state.entries).toMatchObject([{ kind: "visitor", fault }]);
  }
});
