import { describe, expect, it, test } from "vitest";
import type { Said } from "../generated/widget";
import { type ChatState, applyHandoff, applyMessage, conversationsOf, emptyState, endSession, liveConversation, parseState, stored } from "./state";

const NOW = 1_800_000_000_000;
const DAY_MS = 86_400_000;

const said = (change: Partial<Said>): Said => ({ id: "msg_1", seq: 3, author: "AGENT", agentName: "Mira", text: "Hello", createdAt: "2026-01-01T00:00:00Z", ...change });

/** A state with a session and an open handoff. */
function withTeam(): ChatState {
  const state = emptyState("run", NOW);
  state.session = { id: "s", token: "st_x" };
  state.entries.push({ kind: "bot", key: "conv_1", conversationId: "conv_1", text: "No idea.", links: [], suggestions: [], answered: false });
  applyHandoff(state, "conv_1", "REQUESTED");
  return state;
}

describe("a stored state", () => {
  it("is_the_same_after_storing_and_parsing", () => {
    const state = withTeam();
    state.entries.push({ kind: "visitor", key: "k", text: "Hi", to: "team", sender: "tab", since: NOW });

    expect(parseState(stored(state), NOW)).toEqual(state);
  });

  it("never_has_a_session_without_its_token", () => {
    const text = JSON.stringify({ ...withTeam(), session: { id: "s", token: null } });

    expect(parseState(text, NOW)).toMatchObject({ session: null, handoffs: {}, listen: false, cursor: null });
  });

  it("loses_only_its_damaged_entries", () => {
    const note = { kind: "note", key: "n", text: "Closed" };
    const text = JSON.stringify({ ...emptyState("run", NOW), entries: [null, 4, { kind: "visitor" }, note, note, { kind: "other", key: "o", text: "x" }] });

    expect(parseState(text, NOW)?.entries).toEqual([note]);
  });

  it.each(["", "null", "[]", "7", "{}", "{\"run\":1,\"entries\":[],\"usedAt\":0}", "{\"run\":\"r\",\"entries\":{},\"usedAt\":0}"])("is_rejected: %j", (text) => {
    expect(parseState(text, NOW)).toBeNull();
  });

  it("is_rejected_when_its_token_has_expired", () => {
    const text = stored(withTeam());

    expect(parseState(text, NOW + 29 * DAY_MS)).not.toBeNull();
    expect(parseState(text, NOW + 31 * DAY_MS)).toBeNull();
  });
});

describe("a long chat log", () => {
  const long = () => {
    const state = withTeam();
    for (let seq = 3; seq < 160; seq++) applyMessage(state, said({ id: `msg_${seq}`, seq, createdAt: `2026-01-01T00:00:00.${String(seq).padStart(3, "0")}Z` }));
    return state;
  };

  it("is_stored_without_its_oldest_messages_which_do_not_return", () => {
    const state = parseState(stored(long()), NOW)!;
    const { length } = state.entries;

    for (let seq = 3; seq < 160; seq++) applyMessage(state, said({ id: `msg_${seq}`, seq, createdAt: `2026-01-01T00:00:00.${String(seq).padStart(3, "0")}Z` }));

    expect(state.entries.length).toBe(length);
    expect(length).toBe(100);
  });

  it("keeps_what_was_not_delivered", () => {
    const state = long();
    state.entries.unshift({ kind: "visitor", key: "k", text: "Hi", to: "team", fault: "network" });

    expect(parseState(stored(state), NOW)!.entries[0]).toMatchObject({ key: "k", fault: "network" });
  });
});

describe("the server's reports", () => {
  it("open_close_and_reopen_a_handoff", () => {
    const state = withTeam();
    expect(liveConversation(state)).toBe("conv_1");

    expect(applyHandoff(state, "conv_1", "ASSIGNED")).toBeNull();
    expect(applyHandoff(state, "conv_1", "RESOLVED")).toBe("closed");
    expect(applyHandoff(state, "conv_1", "RESOLVED")).toBeNull();
    expect(liveConversation(state)).toBeNull();
    expect(applyHandoff(state, "conv_1", "REQUESTED")).toBe("reopened");

    expect(liveConversation(state)).toBe("conv_1");
    expect(state.listen).toBe(true);
  });

  it("add_each_message_once_whatever_the_order", () => {
    const state = withTeam();

    const added = [said({}), said({ id: "msg_2", seq: 4, text: "Again" }), said({})].map((one) => applyMessage(state, one));

    expect(added.map((entry) => entry?.text)).toEqual(["Hello", "Again", undefined]);
    expect(state.agent).toBe("Mira");
  });

  it("recognize_the_message_of_this_visitor", () => {
    const state = withTeam();
    state.entries.push({ kind: "visitor", key: "k", text: "Hi", to: "team", fault: "network" });

    applyMessage(state, said({ id: "msg_3", author: "VISITOR", agentName: null, text: "Hi" }));

    expect(state.entries.filter(({ kind }) => kind === "visitor")).toEqual([{ kind: "visitor", key: "k", text: "Hi", to: "team", id: "msg_3", at: "2026-01-01T00:00:00Z" }]);
  });

  it("do_not_repeat_question_and_answer", () => {
    const state = withTeam();

    applyMessage(state, said({ id: "q", seq: 1, author: "VISITOR", text: "What?" }));
    applyMessage(state, said({ id: "a", seq: 2, author: "BOT", text: "No idea." }));

    expect(state.entries.length).toBe(1);
  });
});

it("an_ended_session_keeps_the_chat_log_without_its_actions", () => {
  const state = withTeam();
  state.entries.push({ kind: "visitor", key: "k", text: "Hi", to: "team", fault: "network" });

  endSession(state);

  expect(state).toMatchObject({ session: null, handoffs: {}, listen: false });
  expect(state.entries).toMatchObject([{ kind: "bot", isPast: true }, { kind: "visitor", to: "bot" }]);
  expect(conversationsOf(state)).toEqual([]);
});

test("whether_the_visitor_is_named_is_stored", () => {
  const state = { ...emptyState("run", NOW), isNamed: true };

  expect(parseState(stored(state), NOW)?.isNamed).toBe(true);
  expect(parseState(JSON.stringify({ ...state, isNamed: "yes" }), NOW)?.isNamed).toBe(false);
});
