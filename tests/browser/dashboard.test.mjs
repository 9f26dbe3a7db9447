// Checks that each page of the dashboard works, shows errors, and has no accessibility violations.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { launch, watchedPage } from "./browser.mjs";
import { Agent, Visitor, violations } from "./pages.mjs";
import { graphql, offers, until } from "./server.mjs";
import { startWorld } from "./states.mjs";

let browser;
let server;
before(async () => {
  server = await startWorld();
  browser = await launch();
  for (const question of ["=1+1 what is that?", "Where do you keep the lighthouse?"]) {
    await graphql(server.origin, server.widgetKey, "mutation($q: String!) { askQuestion(input: {question: $q}) { userErrors { message } } }", { q: question });
  }
});
after(async () => {
  await browser?.close();
  server?.stop();
});

test("a_wrong_key_is_rejected_with_a_reason", async () => {
  const { page } = await watchedPage(browser, server.origin);
  await page.goto(`${server.origin}/dashboard`);

  await page.getByLabel("Key", { exact: true }).fill("sk_live_nonsense");
  await page.getByRole("button", { name: "Sign in" }).click();

  assert.ok((await page.getByRole("alert").innerText()).length > 0);
});

test("a_widget_key_cannot_sign_in", async () => {
  const { page } = await watchedPage(browser, server.origin);
  await page.goto(`${server.origin}/dashboard`);

  await page.getByLabel("Key", { exact: true }).fill(server.widgetKey);
  await page.getByRole("button", { name: "Sign in" }).click();

  await page.getByText("This is a widget key").waitFor();
});

test("the_key_is_not_kept_after_a_reload_by_default", async () => {
  const agent = await Agent.on(browser, server, "overview");

  await agent.page.reload();

  await agent.page.getByRole("button", { name: "Sign in" }).waitFor();
});

test("every_page_opens_without_an_error", async () => {
  const agent = await Agent.on(browser, server, "overview");
  const titles = await agent.page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link").allInnerTexts();

  for (const title of titles) {
    await agent.go(title);
    await agent.isLoaded();
    assert.deepEqual(await violations(agent.page), [], title);
    assert.equal(await agent.page.getByRole("alert").count(), 0, title);
  }

  assert.deepEqual(agent.faults, []);
});

test("conversations_can_be_searched_and_exported_without_formulas", async () => {
  const agent = await Agent.on(browser, server, "conversations");

  await agent.page.getByLabel("Search", { exact: true }).fill("lighthouse");
  await agent.page.getByRole("button", { name: "Search" }).click();
  await agent.page.getByText("1–1 of 1").waitFor();
  await agent.page.getByLabel("Search", { exact: true }).fill("");
  await agent.page.getByRole("button", { name: "Search" }).click();
  const [download] = await Promise.all([agent.page.waitForEvent("download"), agent.page.getByRole("button", { name: "Export CSV" }).click()]);

  const text = await readFile(await download.path(), "utf8");
  assert.ok(text.startsWith("\ufeffid,createdAt,"));
  assert.ok(text.includes("\"'=1+1 what is that?\"") || text.includes("'=1+1 what is that?"));
  assert.doesNotMatch(text, /(^|,)"?[=+@]/m);
});

test("a_written_answer_answers_the_question_at_once", async () => {
  const agent = await Agent.on(browser, server, "conversations");
  await agent.page.getByLabel("Show").selectOption("UNANSWERED");
  await agent.page.locator("summary", { hasText: "lighthouse" }).click();

  const card = agent.page.getByRole("listitem").filter({ hasText: "lighthouse" });
  await card.getByLabel("Write the answer").fill("In the attic, behind the sails.");
  await card.getByRole("button", { name: "Save as an answer" }).click();
  await card.getByRole("link", { name: "answer lab" }).click();
  await agent.page.getByRole("button", { name: "Ask" }).click();

  await agent.page.getByText("In the attic").first().waitFor();
});

test("an_answer_to_a_topic_is_tested_at_once", async () => {
  const agent = await Agent.on(browser, server, "topics");
  const topic = agent.page.getByRole("listitem").filter({ has: agent.page.getByRole("heading") }).first();

  await topic.getByLabel("Answer", { exact: true }).fill("We keep it in the north wing.");
  await topic.getByRole("button", { name: "Save and test" }).click();

  await topic.getByText("answered now").first().waitFor();
});

test("a_source_can_be_added_and_deleted", async () => {
  const agent = await Agent.on(browser, server, "sources");
  const url = "https://example.invalid/faq";

  await agent.page.getByLabel("URL of a page").fill(url);
  await agent.page.getByRole("button", { name: "Add", exact: true }).click();
  await agent.page.getByText("was added. Its sync has started.").waitFor();
  const card = agent.page.getByRole("listitem").filter({ hasText: url });
  await card.getByRole("button", { name: `Delete ${url}` }).click();
  await card.waitFor({ state: "detached" });
  await agent.page.getByRole("button", { name: "Undo" }).click();
  await card.waitFor();
  await card.getByRole("button", { name: `Delete ${url}` }).click();
  await agent.page.getByRole("button", { name: "Dismiss" }).click();

  await until(async () => (await graphql(server.origin, server.ownerKey, "{ site { sources(first: 50) { nodes { url } } } }")).site.sources.nodes.every((source) => source.url !== url));
  assert.equal(await card.count(), 0);
});

test("an_address_that_is_added_again_gets_the_new_settings", async () => {
  const agent = await Agent.on(browser, server, "sources");
  const url = `${server.shop.origin}/terms`;
  const add = async () => {
    await agent.page.getByLabel("URL of a page").fill(url);
    await agent.page.getByRole("button", { name: "Add", exact: true }).click();
  };

  await add();
  await agent.page.getByText("was added. Its sync has started.").waitFor();
  await agent.page.getByLabel("URL of a page").fill(url);
  await agent.page.getByLabel("Scope").first().selectOption("SECTION");
  await agent.page.getByText("Limits", { exact: true }).click();
  await agent.page.getByLabel("Pages at most").first().fill("7");
  await add();
  await agent.page.getByText("Its settings were changed, and a sync has started.").waitFor();

  const { site } = await graphql(server.origin, server.ownerKey, "{ site { sources(first: 50) { nodes { url scope maxPages } } } }");
  assert.deepEqual(site.sources.nodes.filter((source) => source.url === url), [{ url, scope: "SECTION", maxPages: 7 }]);
});

test("the_command_palette_opens_pages_and_searches", async () => {
  const agent = await Agent.on(browser, server, "overview");

  const field = agent.page.getByRole("dialog").getByRole("combobox");
  await agent.page.keyboard.press("Control+k");
  await field.waitFor();
  await agent.page.keyboard.type("webh");
  await agent.page.keyboard.press("Enter");
  await agent.page.getByRole("heading", { level: 1, name: "Webhooks" }).waitFor();
  await agent.page.getByRole("button", { name: "Go to…" }).click();
  await field.fill("lighthouse");
  await agent.page.keyboard.press("ArrowDown");
  await agent.page.keyboard.press("ArrowUp");
  await agent.page.keyboard.press("Enter");

  await agent.page.getByText(/^1–\d of \d/).waitFor();
  assert.equal(await agent.page.getByLabel("Search", { exact: true }).inputValue(), "lighthouse");
  assert.equal(await agent.page.getByRole("dialog").count(), 0);
});

test("the_color_scheme_is_a_setting_that_survives_a_reload", async () => {
  const agent = await Agent.on(browser, server, "overview", { colorScheme: "light" });
  const color = () => agent.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await color();

  await agent.page.getByRole("button", { name: "Use light colors" }).click();
  await agent.page.getByRole("button", { name: "Use dark colors" }).click();
  const dark = await color();
  await agent.page.reload();

  assert.notEqual(dark, light);
  assert.equal(await color(), dark);
});

test("the_widget_page_creates_the_tag_with_a_real_key_and_its_options", async () => {
  const agent = await Agent.on(browser, server, "widget", { permissions: ["clipboard-read", "clipboard-write"] });

  await agent.page.getByLabel("Color scheme").selectOption("auto");
  await agent.page.getByLabel("Starter questions").fill("Do you \"ship\"?\nWhere?");
  await agent.page.getByRole("button", { name: "Create the tag for this site" }).click();
  await agent.page.getByRole("button", { name: "Copy" }).click();
  await agent.page.getByRole("button", { name: "Copied" }).waitFor();

  const [, key, theme, questions] = /data-api-key="(wk_live_\w+)" data-theme="(\w+)" data-questions="([^"]*)"/.exec(await agent.page.evaluate(() => navigator.clipboard.readText()));
  assert.deepEqual([theme, questions], ["auto", "Do you &quot;ship&quot;? | Where?"]);
  assert.equal((await fetch(`${server.origin}/api/v1/config`, { headers: { Authorization: `Bearer ${key}` } })).status, 200);
});

test("an_unknown_page_is_reported", async () => {
  const agent = await Agent.on(browser, server, "inbocks");

  await agent.page.getByRole("heading", { name: "This page does not exist" }).waitFor();
});

test("a_section_is_synced_reported_and_scheduled", async () => {
  const agent = await Agent.on(browser, server, "sources");
  const url = `${server.shop.origin}/guide`;

  await agent.page.getByLabel("URL of a page").fill(url);
  await agent.page.getByLabel("Scope").selectOption("SECTION");
  await agent.page.getByRole("button", { name: "Add", exact: true }).click();
  const card = agent.page.getByRole("listitem").filter({ has: agent.page.getByRole("link", { name: url, exact: true }) });
  await card.getByText("2 fetched", { exact: true }).waitFor();
  await card.getByText("Page report and settings").click();
  await card.getByRole("cell", { name: /guide\/straps/ }).waitFor();
  await card.getByLabel("Sync schedule").last().selectOption("DAILY");

  await card.getByText(/next sync (in|tomorrow)/).waitFor();
});

test("test_questions_can_be_saved_and_run", async () => {
  const agent = await Agent.on(browser, server, "lab");

  await agent.page.getByLabel("Question", { exact: true }).fill("Is the canvas waterproof?");
  await agent.page.getByRole("button", { name: "Ask" }).click();
  await agent.page.getByRole("button", { name: "Save the question above" }).click();
  await agent.page.getByText("Saved as a test question.").waitFor();
  await graphql(server.origin, server.ownerKey, `mutation($q: String!) { addEvaluationCase(input: {question: $q}) { userErrors { message } } }`, { q: "Can I return a bag?" });
  await agent.page.reload();
  await agent.signIn(server);
  await agent.page.getByRole("button", { name: "Run all" }).click();
  await agent.page.getByText(/^\d of 4 passed\.$/).waitFor();
  const failed = agent.page.getByRole("listitem").filter({ hasText: "Can I return a bag?" });
  await failed.getByText("Expected result: no answer. Actual result: Can I return a bag?").waitFor();
  await failed.getByText("failed", { exact: true }).waitFor();
  await agent.page.getByLabel("When test questions fail").selectOption("0");
  await until(async () => (await graphql(server.origin, server.ownerKey, "{ site { evaluation { allowedLosses } } }")).site.evaluation.allowedLosses === 0);
  await agent.page.getByRole("button", { name: "Delete Can I return a bag?" }).click();
  await failed.waitFor({ state: "detached" });
  await agent.page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link", { name: "Sources" }).click();
  await agent.page.getByRole("button", { name: "Dismiss" }).click();

  await until(async () => (await graphql(server.origin, server.ownerKey, "{ site { evaluation { cases(first: 50) { totalCount } } } }")).site.evaluation.cases.totalCount === 3);
});

test("a_failed_delivery_shows_its_attempts_and_can_be_resent", async () => {
  const agent = await Agent.on(browser, server, "webhooks");
  const hook = `${server.shop.origin}/hook`;

  await agent.page.getByRole("button", { name: `Send a test event to ${hook}` }).click();
  await agent.page.getByText("A test event was sent").waitFor();
  await agent.page.getByText("Attempts", { exact: true }).first().click();
  await agent.page.getByRole("cell", { name: /503/ }).first().waitFor();
  await agent.page.getByRole("button", { name: /^Resend [0-9a-f]/ }).first().click();
  await agent.page.getByRole("button", { name: `Resend failed deliveries to ${hook}` }).click();

  await agent.page.getByText(/events checked, \d+ sent again/).waitFor();
});

test("graphiql_runs_its_examples_with_the_entered_key", async () => {
  const { page, faults } = await watchedPage(browser, server.origin);
  await page.goto(`${server.origin}/graphiql`);

  await page.getByLabel("Key", { exact: true }).fill(server.ownerKey);
  await page.getByRole("button", { name: "Use" }).click();
  await page.locator(".graphiql-query-editor").getByText("The key that you use").waitFor();
  await page.getByRole("button", { name: /Execute/ }).click();
  await page.getByText('"SECRET"').waitFor();

  assert.deepEqual(faults, []);
});

test("the_widget_shows_saved_settings_and_the_editor_warns_about_contrast", async () => {
  const agent = await Agent.on(browser, server, "widget");

  await agent.page.getByLabel("Text on header and buttons", { exact: true }).fill("#3b74f0");
  await agent.page.getByText("hard to read for many people").waitFor();
  await agent.page.getByLabel("Text on header and buttons", { exact: true }).fill("#ffffff");
  await agent.page.getByLabel("Greeting").fill("Ahoy!");
  await agent.page.getByRole("dialog").getByText("Ahoy!").waitFor();
  await agent.page.getByRole("button", { name: "Save" }).click();
  await agent.page.getByText("Saved.").waitFor();
  const visitor = await Visitor.on(browser, server);
  await visitor.open();

  await visitor.log.getByText("Ahoy!").waitFor();
});

test("a_new_key_is_shown_once_and_can_be_revoked", async () => {
  const agent = await Agent.on(browser, server, "keys");

  await agent.page.getByRole("button", { name: "New key" }).click();
  await agent.page.getByLabel("Kind").selectOption("SECRET");
  await agent.page.getByLabel("Name").fill("For a test");
  await agent.page.getByRole("button", { name: "Create key" }).click();
  const secret = await agent.page.locator(".secret code").innerText();
  const { viewer } = await graphql(server.origin, secret, "{ viewer { kind } }");
  await agent.page.getByRole("button", { name: "Done" }).click();
  await agent.page.getByRole("button", { name: "Revoke For a test" }).click();
  await agent.page.getByRole("button", { name: "Revoke", exact: true }).click();
  await agent.page.getByRole("listitem").filter({ hasText: "For a test" }).getByText("revoked").waitFor();

  assert.match(secret, /^sk_live_/);
  assert.equal(viewer.kind, "SECRET");
  assert.ok(!(await agent.page.content()).includes(secret));
});

test("a_member_takes_a_conversation_under_their_own_name", async () => {
  const agent = await Agent.on(browser, server, "members");
  await agent.page.getByRole("button", { name: "Add a member" }).click();
  await agent.page.getByLabel("Name").fill("Nils Berg");
  await agent.page.getByLabel("E-mail").fill("nils@example.org");
  await agent.page.getByLabel("Sign-in").selectOption({ label: "With a key, which is shown once" });
  await agent.page.getByRole("button", { name: "Add", exact: true }).click();
  const secretKey = await agent.page.locator(".secret code").innerText();
  const [nils, visitor] = [await Agent.on(browser, { ...server, secretKey }), await Visitor.on(browser, server)];

  await visitor.open();
  await visitor.ask("Who is there?");
  await visitor.wantHuman();
  await nils.read("Who is there?");
  await nils.page.getByRole("button", { name: "Take" }).click();
  await nils.page.getByText("with Nils Berg").waitFor();
  await nils.say("I am.");

  await visitor.log.getByText("Nils Berg").waitFor();
});

test("a_webhook_secret_is_shown_once_and_the_webhook_can_be_deleted", async () => {
  const agent = await Agent.on(browser, server, "webhooks");
  const url = "https://example.com/helpbot-hook";

  await agent.page.getByRole("button", { name: "New webhook" }).click();
  await agent.page.getByLabel("URL").fill(url);
  await agent.page.getByRole("button", { name: "Create webhook" }).click();
  const secret = await agent.page.locator(".secret code").innerText();
  await agent.page.getByRole("button", { name: "Done" }).click();
  await agent.page.getByRole("button", { name: `Delete ${url}` }).click();
  await agent.page.getByRole("heading", { name: url }).waitFor({ state: "detached" });
  await agent.page.getByRole("button", { name: "Dismiss" }).click();
  await until(async () => (await graphql(server.origin, server.ownerKey, "{ site { webhooks { url } } }")).site.webhooks.every((hook) => hook.url !== url));

  assert.match(secret, /^whsec_/);
});

test("an_uploaded_file_answers_and_can_be_replaced", async (t) => {
  if (!await offers(server, "uploadSource")) return t.skip("This schema has no file uploads.");
  const agent = await Agent.on(browser, server, "sources");
  const file = (text) => ({ name: "opening.md", mimeType: "text/markdown", buffer: Buffer.from(`# Opening\n\n## When does the mill open?\n\n${text}\n`) });

  await agent.page.getByLabel("Upload a file").setInputFiles(file("At ten in the morning."));
  await agent.page.getByText("was added. Its sync has started.").waitFor();
  await agent.page.getByLabel("Upload a file").setInputFiles(file("At noon, since the spring."));
  await agent.page.getByText("was replaced. Its sync has started.").waitFor();
  // The previous index can answer for a moment.
  await until(async () => {
    const { askQuestion } = await graphql(server.origin, server.ownerKey, `mutation { askQuestion(input: {question: "When does the mill open?"}) { conversation { answer } userErrors { message } } }`);
    return askQuestion.conversation.answer.includes("At noon");
  }, 30_000);
  await agent.go("Answer lab");
  await agent.page.getByLabel("Question", { exact: true }).fill("When does the mill open?");
  await agent.page.getByRole("button", { name: "Ask" }).click();

  await agent.page.getByText("At noon").first().waitFor();
  return assert.deepEqual(agent.faults, []);
});

test("an_import_adds_all_rows_of_a_file_or_none", async (t) => {
  if (!await offers(server, "importFaqEntries")) return t.skip("This schema has no import of entries.");
  const agent = await Agent.on(browser, server, "answers");
  const upload = (text) => agent.page.getByLabel("Import from a file").setInputFiles({ name: "entries.csv", mimeType: "text/csv", buffer: Buffer.from(text) });

  await agent.page.getByRole("button", { name: "Write an answer" }).click();
  await upload("question,answer\nWho feeds the swans?,The miller does.\nWho mends the sails?,The sailmaker does.\n");
  await agent.page.getByText("2 added, 0 updated, 0 unchanged.").waitFor();
  await upload("question,answer\nWho rings the bell?,The sexton.\n,An answer to nothing\n");
  await agent.page.getByRole("alert").waitFor();
  await agent.page.keyboard.press("Escape");
  await agent.page.getByLabel("Search", { exact: true }).fill("bell");
  await agent.page.getByRole("button", { name: "Search" }).click();

  return agent.page.getByText("No results").waitFor();
});
