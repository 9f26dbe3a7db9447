import { expect, test, vi } from "vitest";
import type { WidgetConfig } from "./config";
import { View } from "./view";
import { localeOf } from "./words";

const actions = { ask: vi.fn(), retry: vi.fn(), vote: vi.fn(), wantHuman: vi.fn() };
const view = new View({ botName: "Bot", handoffText: "Human" } as WidgetConfig, await localeOf("en", ""), actions);

test("a_suggestion_is_shown_once_and_asks_when_clicked", () => {
  const node = view.entry({
    kind: "bot", key: "k", conversationId: "c", links: [], answered: false, suggestions: ["Can I return a bag?", "How long is it?"],
    text: "Did you mean one of these?\n\n- Can I return a bag?\n- How long is it?",
  });

  const button = [...node.querySelectorAll("button")].find((one) => one.textContent === "Can I return a bag?")!;
  button.click();

  expect(node.textContent!.split("Can I return a bag?").length - 1).toBe(1);
  expect(node.textContent).toContain("Did you mean one of these?");
  expect(actions.ask).toHaveBeenCalledWith("Can I return a bag?");
});

test("a_list_in_an_answer_is_kept", () => {
  const node = view.entry({ kind: "bot", key: "k", conversationId: "c", links: [], answered: true, suggestions: [], text: "Both:\n\n- Red\n- Blue" });

  expect(node.querySelectorAll("li").length).toBe(2);
});

test("a_message_shows_how_long_ago_it_was_written", () => {
  const node = view.entry({ kind: "visitor", key: "k", text: "Hello", to: "bot", wroteAt: Date.now() - 5 * 60_000 });

  expect(node.querySelector("time")?.textContent).toBe("5 min. ago");
  expect(node.querySelector("time")?.title).toMatch(/\d{4}/);
});

test("a_message_of_an_agent_shows_its_time_in_any_language", async () => {
  for (const lang of ["en", "de_DE", "not a tag"]) {
    const other = new View({ botName: "Bot", handoffText: "Human" } as WidgetConfig, { ...await localeOf("en", ""), lang }, actions);

    const node = other.entry({ kind: "agent", key: "k", id: "m", name: "Mira", text: "Hello", at: "2026-01-02T03:04:05Z" });

    expect(node.querySelector("time")?.dateTime).toBe("2026-01-02T03:04:05.000Z");
    expect(node.querySelector("time")?.textContent).toMatch(/2026/);
  }
});
