// @vitest-environment happy-dom
// Tests of the form that sends the conversation by e-mail: address, code, and what the visitor reads when one is wrong.

import { beforeEach, expect, test, vi } from "vitest";
import type { WidgetConfig } from "./config";
import { h } from "./element";
import { transcriptForm, transcriptWords } from "./transcript";

const config = { emailPlaceholder: "Your e-mail", emailSendText: "Send" } as WidgetConfig;
const send = vi.fn<(email: string, code: string | null) => Promise<void>>();
const refusal = (code: string) => Object.assign(new Error(code), { code });

beforeEach(() => {
  send.mockReset().mockResolvedValue();
  document.body.replaceChildren();
});

function open(lang = "en") {
  const form = transcriptForm({ h, config, lang, send, reason: () => "Offline." });
  document.body.append(form);
  const enter = async (value: string) => {
    form.querySelector("input")!.value = value;
    form.dispatchEvent(new Event("submit", { cancelable: true }));
    // The form has handled the answer after the current microtasks.
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { form, enter, error: () => form.querySelector("[role=alert]")?.textContent };
}

test("a visitor confirms the address with a code", async () => {
  const { form, enter } = open();

  await enter("ann@home.example");
  expect(form.textContent).toContain("We have sent a code to ann@home.example.");
  expect(form.querySelector("input")!.getAttribute("autocomplete")).toBe("one-time-code");
  await enter("042137");

  expect(send.mock.calls).toEqual([["ann@home.example", null], ["ann@home.example", "042137"]]);
  expect(form.textContent).toBe("The conversation is on its way to ann@home.example.");
});

test("a wrong address, a wrong code and a limit have words", async () => {
  const { form, enter, error } = open();

  await enter("");
  expect(error()).toBe("Please check the e-mail address.");
  send.mockRejectedValueOnce(refusal("BAD_USER_INPUT"));
  await enter("ann@home.example");
  expect(error()).toBe("Please check the e-mail address.");
  await enter("ann@home.example");
  send.mockRejectedValueOnce(refusal("BAD_USER_INPUT"));
  await enter("000000");
  expect(error()).toBe("The code is wrong or has expired.");
  send.mockRejectedValueOnce(refusal("LIMIT_REACHED"));
  await enter("000000");
  expect(error()).toBe("Too many attempts. Please try again later.");
  send.mockRejectedValueOnce(new TypeError("network"));
  await enter("000000");
  expect(error()).toBe("Offline.");
  await enter("042137");
  expect(form.textContent).toContain("on its way");
});

test("markup in an address stays text", async () => {
  const { form, enter } = open();

  await enter("<b>@home.example");

  expect(form.querySelector("b")).toBeNull();
});

test("the words are those of the language of the widget", () => {
  expect(transcriptWords("de-AT").code).toBe("Code");
  expect(transcriptWords("ar").code).toBe("الرمز");
  expect(transcriptWords("xx").title).toBe("Send this conversation by e-mail");
});
