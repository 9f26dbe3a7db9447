// @vitest-environment happy-dom
// Tests of the forms in which a visitor gives a reason for a vote and rates the help of the team.

import { beforeEach, expect, test, vi } from "vitest";
import { Explain, Rate } from "../generated/forms";
import { h } from "./element";
import { OPINION_WORDS } from "./locales/opinion";
import { type OpinionForm, ratingForm, reasonForm } from "./opinion";
import type { Run } from "./transcript";

const accepted = { submitFeedback: { userErrors: [] }, rateHandoff: { userErrors: [] } };
const run = vi.fn<(operation: unknown, variables: unknown) => Promise<unknown>>();

beforeEach(() => {
  run.mockReset().mockResolvedValue(accepted);
  document.body.replaceChildren();
});

function open(make: (of: OpinionForm) => HTMLFormElement, lang = "en") {
  const form = make({ h, lang, run: run as Run, conversationId: "conv_1", reason: () => "Offline." });
  document.body.append(form);
  const button = (text: string) => [...form.querySelectorAll("button")].find((one) => one.textContent === text)!;
  const send = async () => {
    form.dispatchEvent(new Event("submit", { cancelable: true }));
    // The form has handled the answer after the current microtasks.
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { form, button, send, error: () => form.querySelector("[role=alert]")?.textContent };
}

test("a visitor says why an answer did not help", async () => {
  const { form, button, send } = open(reasonForm);

  button("Wrong").click();
  button("Outdated").click();
  expect(form.querySelectorAll("[aria-pressed=true]")).toHaveLength(1);
  form.querySelector("input")!.value = " The shop has moved. ";
  await send();

  const input = { conversationId: "conv_1", feedback: "UNHELPFUL", reason: "OUTDATED", comment: "The shop has moved." };
  expect(run.mock.calls).toEqual([[Explain, { input }]]);
  expect(form.textContent).toBe("Thank you for your feedback.");
});

test("a reason can be taken back, and a comment is enough", async () => {
  const { form, button, send } = open(reasonForm);

  button("Wrong").click();
  button("Wrong").click();
  form.querySelector("input")!.value = "Too long";
  await send();

  expect(run.mock.calls[0]![1]).toEqual({ input: { conversationId: "conv_1", feedback: "UNHELPFUL", reason: null, comment: "Too long" } });
});

test("a visitor rates the help of the team, and needs a number for it", async () => {
  const { form, button, send } = open(ratingForm);
  expect(button("Send").disabled).toBe(true);
  await send();
  expect(run).not.toHaveBeenCalled();

  expect(button("5").getAttribute("aria-label")).toBe("5: very good");
  button("2").click();
  await send();

  expect(run.mock.calls).toEqual([[Rate, { input: { conversationId: "conv_1", rating: 2, comment: null } }]]);
  expect(form.textContent).toBe("Thank you for your feedback.");
});

test("a failure has words, and the form can be sent again or skipped", async () => {
  const { form, button, send, error } = open(ratingForm);
  button("4").click();
  run.mockResolvedValueOnce({ rateHandoff: { userErrors: [{ message: "Too late.", code: "CONFLICT" }] } });
  await send();
  expect(error()).toBe("Offline.");
  run.mockRejectedValueOnce(new Error("no connection"));
  await send();
  expect(error()).toBe("Offline.");

  button("Skip").click();
  expect(form.isConnected).toBe(false);
});

test("every language has all texts", () => {
  for (const [lang, words] of Object.entries(OPINION_WORDS)) {
    expect(words.reasons, lang).toHaveLength(6);
    expect(Object.values(words).flat().every((text) => text.trim() !== ""), lang).toBe(true);
    expect(open(reasonForm, `${lang}-XX`).form.textContent, lang).toContain(words.why);
  }
});
