import { expect, test } from "vitest";
import { type Command, matching } from "./palette";

const command = (title: string, hint = "Page"): Command => ({ title, hint, icon: "inbox", run: () => {} });
const ALL = [command("API keys"), command("Webhooks"), command("Use dark colors", "Appearance"), command("Widget")];
const titles = (text: string) => matching(ALL, text).map(({ title }) => title);

test("without_a_text_all_commands_are_listed", () => {
  expect(titles(" ")).toHaveLength(4);
});

test("a_command_contains_all_words_in_any_order", () => {
  expect(titles("colors dark")).toEqual(["Use dark colors"]);
  expect(titles("appear")).toEqual(["Use dark colors"]);
  expect(titles("dark keys")).toEqual([]);
});

test("commands_that_begin_with_the_text_come_first", () => {
  expect(titles("w")).toEqual(["Webhooks", "Widget"]);
  expect(titles("k")).toEqual(["API keys", "Webhooks", "Use dark colors"]);
});
