// Checks the texts of the widget in further languages: what visitors see, and how an owner writes them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";
import { HostedWidget, addPage, tagOf } from "./hosted.mjs";
import { Agent } from "./pages.mjs";
import { graphql, until } from "./server.mjs";
import { startWorld } from "./states.mjs";

let browser;
let world;
before(async () => {
  [world, browser] = [await startWorld(), await launch()];
});
after(async () => {
  await browser?.close();
  world?.stop();
});

const run = (query, variables) => graphql(world.origin, world.secretKey, query, variables);
const set = (input) => run("mutation($input: SetWidgetTextsInput!) { setWidgetTexts(input: $input) { userErrors { message } } }", { input });
const remove = (language) => run("mutation($language: String!) { deleteWidgetTexts(input: {language: $language}) { userErrors { message } } }", { language });
/** A page in a language with the widget. Without a language, the page does not say it. */
const pageIn = (language) => addPage(world, `<script>document.documentElement.lang = "${language}"</script>${tagOf(world)}`);

test("the_widget_speaks_the_language_of_the_page_or_the_browser", async (t) => {
  await set({ language: "de", greeting: "Moin!", botName: "Ada", starterQuestions: ["Ist die Tasche wasserdicht?"] });

  const german = await HostedWidget.on(browser, pageIn("de-AT"));
  await german.page.getByRole("button", { name: "Chat: Ada" }).waitFor();
  await german.open();
  await german.log.getByText("Moin!").waitFor();
  await german.log.getByRole("button", { name: "Ist die Tasche wasserdicht?" }).waitFor();
  await german.log.getByRole("button", { name: "Mit einem Menschen sprechen" }).waitFor();
  const english = await HostedWidget.on(browser, pageIn("en"));
  await english.open();
  await english.log.getByText("Hi! How can I help you?").waitFor();
  const context = await browser.newContext({ reducedMotion: "reduce", locale: "de-DE" });
  t.after(() => context.close());
  const byBrowser = await HostedWidget.on(context, pageIn(""));
  await byBrowser.open();

  await byBrowser.log.getByText("Moin!").waitFor();
  await remove("de");
});

test("an_owner_writes_texts_for_a_language_with_a_preview", async () => {
  const agent = await Agent.on(browser, world, "widget");
  const { page } = agent;
  await page.getByLabel("Language to add").fill("fr");
  await page.getByRole("button", { name: "Add language" }).click();
  await page.getByRole("link", { name: "French" }).waitFor();
  assert.equal(await page.getByRole("textbox", { name: "Greeting" }).getAttribute("placeholder"), "Bonjour\u00a0! Comment puis-je vous aider\u00a0?");
  const preview = page.getByRole("region", { name: "Preview" });
  await preview.getByText("Comment puis-je vous aider").waitFor();

  await page.getByRole("textbox", { name: "Greeting" }).fill("Salut !");
  await preview.getByText("Salut !").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  assert.equal((await run("{ site { widget(language: \"fr\") { greeting } } }")).site.widget.greeting, "Salut !");
  await page.getByRole("link", { name: "Default language" }).click();
  await preview.getByText("Hi! How can I help you?").waitFor();
  await page.getByRole("link", { name: "French" }).click();
  await preview.getByText("Salut !").waitFor();
  await page.getByRole("textbox", { name: "Greeting" }).fill("");
  await preview.getByText("Comment puis-je vous aider").waitFor();
  await page.getByRole("button", { name: "Delete the texts in French" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("link", { name: "French" }).waitFor({ state: "detached" });

  return until(async () => (await run("{ site { widgetTexts { language } } }")).site.widgetTexts.length === 0);
});
