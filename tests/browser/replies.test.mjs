// Checks how a member finds, answers and is notified of conversations: drafts, search, shortcuts, unread marks, sound and
// notifications.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";
import { Agent } from "./pages.mjs";
import { graphql, until } from "./server.mjs";
import { startWorld } from "./states.mjs";

let browser;
let world;
before(async () => {
  [world, browser] = [await startWorld(), await launch()];
  await run("mutation { addFaqEntry(input: {question: \"Do you deliver to Svalbard?\", answer: \"Yes, by ship within three weeks.\", url: \"https://shop.example/svalbard\"}) { userErrors { message } } }");
});
after(async () => {
  await browser?.close();
  world?.stop();
});

const WIDE = { viewport: { width: 1440, height: 900 } };
const run = (query, variables) => graphql(world.origin, world.secretKey, query, variables);
let count = 0;

/** Executes an operation as a visitor. */
async function asVisitor(query, variables, token = "") {
  const response = await fetch(`${world.origin}/graphql`, {
    method: "POST", body: JSON.stringify({ query, variables }),
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${world.widgetKey}`, ...token && { "X-HelpBot-Session": token } },
  });
  const { data, errors } = await response.json();
  const refused = errors ?? Object.values(data).flatMap((field) => field?.userErrors ?? []);
  assert.deepEqual(refused, [], query);
  return data;
}

/** A visitor who waits for a human. Returns the conversation, its unique question, and what writes as the visitor. */
async function waiting(text, customerEmail = "ada@example.org") {
  const question = `${text}, number ${count++}?`;
  const { askQuestion } = await asVisitor("mutation($q: String!) { askQuestion(input: {question: $q}) { conversation { id } sessionToken userErrors { message } } }", { q: question });
  const { conversation: { id }, sessionToken } = askQuestion;
  await asVisitor("mutation($id: ID!, $email: String) { requestHandoff(input: {conversationId: $id, customerEmail: $email}) { userErrors { message } } }", { id, email: customerEmail }, sessionToken);
  const say = (words) => asVisitor("mutation($id: ID!, $t: String!) { sendMessage(input: {conversationId: $id, text: $t}) { userErrors { message } } }", { id, t: words }, sessionToken);
  return { id, question, say };
}
const textsOf = async (id) => (await run("query($id: ID!) { node(id: $id) { ... on Conversation { messages(last: 50) { nodes { text } } } } }", { id })).node.messages.nodes.map(({ text }) => text);
const reply = ({ page }) => page.getByLabel("Your answer");
const list = ({ page }) => page.getByRole("region", { name: "Conversations" });

test("a_draft_is_inserted_with_its_sources_changed_sent_and_kept", async () => {
  const { id, question, say } = await waiting("Who is the owner of the shop");
  await say("Do you deliver to Svalbard?");
  const agent = await Agent.on(browser, world);
  await agent.read(question);

  await agent.page.getByRole("button", { name: "Draft", exact: true }).click();
  await until(async () => await reply(agent).inputValue() === "Yes, by ship within three weeks.");
  await agent.page.getByRole("group", { name: "Sources of the draft" }).getByRole("link").first().waitFor();
  assert.deepEqual((await textsOf(id)).slice(2), ["Do you deliver to Svalbard?"], "nothing is sent by itself");
  await reply(agent).fill("Yes, by ship within two weeks.");
  await agent.page.getByLabel("Keep the reply as an FAQ entry").check();
  assert.equal(await agent.page.getByLabel("Question of the FAQ entry").inputValue(), "Do you deliver to Svalbard?");
  await agent.page.getByLabel("Question of the FAQ entry").fill("How long does a parcel to Svalbard take?");
  await agent.page.getByRole("button", { name: "Send", exact: true }).click();
  await agent.page.getByText("The reply is kept as an FAQ entry.").waitFor();

  await until(async () => (await textsOf(id)).at(-1) === "Yes, by ship within two weeks.");
  const { site } = await run("{ site { faqEntries(search: \"two weeks\") { nodes { question answer } } } }");
  assert.deepEqual(site.faqEntries.nodes, [{ question: "How long does a parcel to Svalbard take?", answer: "Yes, by ship within two weeks." }]);
  assert.equal(await agent.page.getByRole("group", { name: "Sources of the draft" }).count(), 0);
});

test("an_unknown_answer_is_not_drafted", async () => {
  const { question, say } = await waiting("Who paints the shop");
  await say("How do I calibrate the flux capacitor of a submarine?");
  const agent = await Agent.on(browser, world);
  await agent.read(question);

  await agent.page.keyboard.press("d");
  await agent.page.getByText("HelpBot does not know an answer to the last messages.").waitFor();

  assert.equal(await reply(agent).inputValue(), "");
});

test("conversations_are_found_by_email_address_and_by_agent", async () => {
  const [one, two] = [await waiting("Who has an address", "grace@example.org"), await waiting("Who has another address", "alan@example.org")];
  const { site } = await run("{ site { members { nodes { id name } } } }");
  const mira = site.members.nodes.find(({ name }) => name === "Mira Holm");
  await run("mutation($id: ID!, $member: ID!) { assignConversation(input: {conversationId: $id, memberId: $member}) { userErrors { message } } }", { id: two.id, member: mira.id });
  const agent = await Agent.on(browser, world, "inbox?tab=all", WIDE);
  await list(agent).getByRole("link", { name: two.question }).waitFor();

  await agent.page.getByLabel("Find a conversation").fill("GRACE@example");
  await agent.page.keyboard.press("Enter");
  await until(async () => await agent.page.locator(".entry").count() === 1);
  await list(agent).getByRole("link", { name: one.question }).waitFor();
  await agent.page.getByLabel("Find a conversation").fill("");
  await agent.page.getByLabel("Agent", { exact: true }).selectOption({ label: "Mira Holm" });
  await list(agent).getByRole("link", { name: one.question }).waitFor({ state: "detached" });
  await list(agent).getByRole("link", { name: two.question }).waitFor();
  assert.equal(new URL(agent.page.url()).searchParams.get("agent"), mira.id);
  await run("mutation($id: ID!) { unassignConversation(input: {conversationId: $id}) { userErrors { message } } }", { id: two.id });
  await list(agent).getByRole("link", { name: two.question }).waitFor({ state: "detached" });
  await agent.page.getByLabel("Agent", { exact: true }).selectOption({ label: "Nobody" });

  await list(agent).getByRole("link", { name: two.question }).waitFor();
});

test("shortcuts_have_a_help_sheet", async () => {
  const { question } = await waiting("Who presses keys");
  const agent = await Agent.on(browser, world);
  await agent.read(question);

  await agent.page.keyboard.press("?");
  const sheet = agent.page.getByRole("dialog", { name: "Keyboard shortcuts" });
  for (const text of ["Next conversation", "Write a reply", "Draft a reply", "Find a conversation", "Resolve the conversation"]) await sheet.getByText(text).waitFor();
  await agent.page.keyboard.press("Escape");
  await agent.page.keyboard.press("r");
  await until(() => reply(agent).evaluate((box) => box === document.activeElement));
  await agent.page.keyboard.type("?");

  assert.equal(await reply(agent).inputValue(), "?", "a key in a field is text");
});

test("enter_sends_unless_it_is_turned_off", async () => {
  const { id, question } = await waiting("Who presses Enter");
  const agent = await Agent.on(browser, world);
  await agent.read(question);
  await agent.page.getByLabel("Send with Enter").uncheck();
  await reply(agent).fill("First line");
  await reply(agent).press("Enter");
  assert.equal(await reply(agent).inputValue(), "First line\n");

  await agent.page.reload();
  await agent.signIn(world);
  await agent.read(question);
  assert.equal(await agent.page.getByLabel("Send with Enter").isChecked(), false);
  await agent.page.getByLabel("Send with Enter").check();
  await reply(agent).fill("Sent with Enter");
  await reply(agent).press("Enter");

  return until(async () => (await textsOf(id)).at(-1) === "Sent with Enter");
});

test("unread_messages_are_marked_in_the_list_the_navigation_and_the_title", async () => {
  const { id, question, say } = await waiting("Is the parcel on its way?");
  const agent = await Agent.on(browser, world, "inbox");
  await agent.isLive();
  await agent.read(question);
  await agent.page.getByRole("button", { name: "Take" }).click();
  await agent.page.getByText("with Mira Holm").waitFor();
  await agent.go("Sources");
  const { site } = await run("{ site { conversations(first: 0, filter: {handoffStatuses: [REQUESTED]}) { totalCount } } }");
  const before = site.conversations.totalCount;
  const nav = agent.page.getByRole("navigation", { name: "Pages", exact: true });

  await say("Are you there?");
  await say("Hello?");
  await nav.getByRole("link", { name: /Inbox.*2 unread/ }).waitFor();
  await until(async () => await agent.page.title() === `(${before + 2}) Sources · HelpBot`);
  await agent.page.goto(`${world.origin}/dashboard/inbox?tab=mine`);
  await agent.signIn(world);
  await list(agent).getByRole("link", { name: question }).getByText("2 unread").waitFor();
  await agent.read(question);
  await list(agent).getByRole("link", { name: question }).getByText(/unread/).waitFor({ state: "detached" });
  await nav.getByRole("link", { name: /unread/ }).waitFor({ state: "detached" });

  await until(async () => await agent.page.title() === (before ? `(${before}) Inbox · HelpBot` : "Inbox · HelpBot"));
  assert.equal((await textsOf(id)).length, 4);
});

test("sound_and_notifications_are_remembered_and_a_notification_opens_its_conversation", async () => {
  const agent = await Agent.on(browser, world, "sources", { permissions: ["notifications"] });
  const { page } = agent;
  await page.addInitScript(() => {
    globalThis.shown = [];
    globalThis.Notification = class {
      static permission = "granted";
      static requestPermission = async () => "granted";
      constructor(title, options) {
        globalThis.shown.push(Object.assign(this, { title, ...options }));
      }
      close() {}
    };
    Object.defineProperty(document, "visibilityState", { get: () => globalThis.isHidden ? "hidden" : "visible" });
  });
  await page.goto(`${world.origin}/dashboard/inbox`);
  await agent.signIn(world);
  await page.getByLabel("Notifications").check();
  await page.getByLabel("Sound").check();
  await page.reload();
  await agent.signIn(world);
  await agent.isLive();
  assert.deepEqual([await page.getByLabel("Notifications").isChecked(), await page.getByLabel("Sound").isChecked()], [true, true]);
  await page.getByLabel("Sound").uncheck();
  assert.equal(await page.getByLabel("Notifications").isChecked(), true, "each is a setting of its own");

  await page.evaluate(() => void (globalThis.isHidden = true));
  const { id, question } = await waiting("Who is notified");
  await page.waitForFunction((body) => globalThis.shown.some((one) => one.body === body), question);
  await page.evaluate((body) => {
    globalThis.isHidden = false;
    globalThis.shown.find((one) => one.body === body).onclick();
  }, question);
  await agent.thread.waitFor();

  assert.equal(new URL(page.url()).searchParams.get("open"), id);
});
