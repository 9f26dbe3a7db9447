// Checks that an agent whose connection or attention was away finds everything again: messages of the night, rows of the list,
// filters, drafts of notes, marks of read messages, and deletions that were announced.

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
});
after(async () => {
  await browser?.close();
  world?.stop();
});

const run = (query, variables) => graphql(world.origin, world.secretKey, query, variables);
let count = 0;

/** Creates a conversation that waits for a human. Returns its ID and its unique question. */
async function waiting(text) {
  const question = `${text}, number ${count++}?`;
  const { askQuestion } = await run("mutation($q: String!) { askQuestion(input: {question: $q}) { conversation { id } userErrors { message } } }", { q: question });
  const { id } = askQuestion.conversation;
  await run("mutation($id: ID!) { requestHandoff(input: {conversationId: $id}) { userErrors { message } } }", { id });
  return { id, question };
}
const send = (id, text) => run("mutation($id: ID!, $t: String!) { sendMessage(input: {conversationId: $id, text: $t}) { userErrors { message } } }", { id, t: text });
const resolve = (id) => run("mutation($id: ID!) { resolveConversation(input: {conversationId: $id}) { userErrors { message } } }", { id });
const rowsOf = (agent) => agent.page.locator("a.entry");
const noteBox = (agent) => agent.page.getByLabel("Note for the team");
const mode = (agent, name) => agent.page.getByRole("group", { name: "What you write" }).getByRole("button", { name }).click();

test("messages_that_came_while_the_agent_was_away_leave_no_gap", async () => {
  const { id } = await waiting("Gap");
  for (let i = 0; i < 5; i++) await send(id, `Evening ${i}.`);
  const agent = await Agent.on(browser, world, `inbox?open=${id}`);
  const lines = agent.page.getByRole("log", { name: "Messages" });
  await lines.getByText("Evening 4.").waitFor();

  // The connection for events is lost and its cursor is too old, as after a night: the page reads its state again.
  await agent.page.context().setOffline(true);
  for (let i = 0; i < 70; i++) await send(id, `Night ${i}.`);
  await agent.page.context().setOffline(false);
  await lines.getByText("Night 69.").waitFor();
  const earlier = agent.page.getByRole("button", { name: "Show earlier messages" });
  await until(async () => {
    if (await earlier.isVisible()) await earlier.click();
    return (await lines.innerText()).includes("Evening 0.");
  });

  const text = await lines.innerText();
  assert.deepEqual(Array.from({ length: 70 }, (_, i) => `Night ${i}.`).filter((one) => !text.includes(one)), []);
});

test("the_list_keeps_its_pages_after_a_lost_connection_and_fills_up_when_rows_leave", async () => {
  const all = [];
  for (let i = 0; i < 36; i++) all.push(await waiting("Queue"));
  const agent = await Agent.on(browser, world);
  await rowsOf(agent).nth(29).waitFor();
  await agent.page.getByRole("button", { name: "Show more" }).click();
  await rowsOf(agent).nth(35).waitFor();
  const before = await rowsOf(agent).count();

  await agent.page.reload();
  await agent.signIn(world);
  await rowsOf(agent).nth(29).waitFor();
  for (const { id } of all.slice(0, 32)) await resolve(id);

  await until(async () => (await rowsOf(agent).count()) === before - 32);
  await agent.page.getByRole("link", { name: all[35].question }).waitFor();
});

test("the_way_back_from_a_conversation_keeps_the_search", async () => {
  const { question } = await waiting("Narrow");
  await waiting("Other");
  const agent = await Agent.on(browser, world, "inbox?tab=all", { viewport: { width: 700, height: 900 } });
  await agent.page.getByLabel("Find a conversation").fill(question);
  await agent.page.keyboard.press("Enter");
  await until(async () => (await rowsOf(agent).count()) === 1);
  await rowsOf(agent).first().click();

  await agent.page.getByRole("link", { name: "Back", exact: true }).click();

  await rowsOf(agent).first().waitFor();
  assert.equal(await agent.page.getByLabel("Find a conversation").inputValue(), question);
  assert.equal(await rowsOf(agent).count(), 1);
});

test("a_note_that_is_being_written_survives_replies_other_conversations_and_a_reload", async () => {
  const [one, two] = [await waiting("First of two"), await waiting("Second of two")];
  const agent = await Agent.on(browser, world, `inbox?open=${one.id}`);
  await mode(agent, "Note");
  await noteBox(agent).fill("Half of a note");

  await mode(agent, "Reply");
  await mode(agent, "Note");
  assert.equal(await noteBox(agent).inputValue(), "Half of a note");
  await agent.page.getByRole("link", { name: two.question }).click();
  await agent.page.getByRole("heading", { name: two.question }).waitFor();
  assert.equal(await noteBox(agent).count(), 0);
  await agent.page.goBack();
  await noteBox(agent).waitFor();
  await agent.page.reload();
  await agent.signIn(world);

  await noteBox(agent).waitFor();
  assert.equal(await noteBox(agent).inputValue(), "Half of a note");
});

test("messages_are_marked_as_read_when_the_server_can_be_reached_again", async () => {
  const { askQuestion } = await run("mutation { askQuestion(input: {question: \"Unread?\"}) { conversation { id } sessionToken } }");
  const { id } = askQuestion.conversation;
  await run("mutation($id: ID!) { requestHandoff(input: {conversationId: $id}) { userErrors { message } } }", { id });
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${world.widgetKey}`, "X-HelpBot-Session": askQuestion.sessionToken };
  const query = "mutation($id: ID!) { sendMessage(input: {conversationId: $id, text: \"Hello?\"}) { userErrors { message } } }";
  await fetch(`${world.origin}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables: { id } }) });
  const agent = await Agent.on(browser, world, "inbox");
  let isDown = true;
  await agent.page.route("**/graphql", (route) => (isDown && route.request().postData()?.includes("markRead") ? route.fulfill({ status: 503 }) : route.continue()));
  await agent.page.getByRole("link", { name: "Unread?" }).first().click();
  await agent.page.getByRole("log", { name: "Messages" }).getByText("Hello?").waitFor();

  isDown = false;

  await until(async () => (await run("query($id: ID!) { node(id: $id) { ... on Conversation { unreadCount } } }", { id })).node.unreadCount === 0, 20_000);
});

test("everything_that_was_deleted_quickly_is_deleted", async () => {
  for (let i = 0; i < 5; i++) await run("mutation($n: String!) { addCannedReply(input: {name: $n, text: \"Hello\"}) { userErrors { message } } }", { n: `Quick ${i}` });
  const agent = await Agent.on(browser, world, "canned");

  for (let i = 0; i < 5; i++) {
    await agent.page.getByText(`Quick ${i}`).click();
    await agent.page.getByRole("button", { name: `Delete Quick ${i}` }).click();
  }

  await until(async () => (await run("{ site { cannedReplies(first: 10) { nodes { name } } } }")).site.cannedReplies.nodes.every(({ name }) => !name.startsWith("Quick")), 20_000);
});

test("a_browser_that_shows_no_notifications_of_pages_keeps_the_list_current", async () => {
  const agent = await Agent.on(browser, world);
  await agent.page.evaluate(() => {
    globalThis.localStorage.setItem("helpbot:notifications", "on");
  });
  await agent.page.addInitScript(() => {
    globalThis.Notification = Object.assign(function Notification() {
      throw new TypeError("Illegal constructor");
    }, { permission: "granted" });
    Object.defineProperty(document, "visibilityState", { get: () => "hidden" });
  });
  await agent.page.reload();
  await agent.signIn(world);

  const { question } = await waiting("On a phone");

  await agent.page.getByRole("link", { name: question }).waitFor();
  assert.deepEqual(agent.faults.filter((fault) => fault.includes("Illegal")), []);
});

test("new_messages_leave_what_the_agent_reads_in_place", async () => {
  const { id } = await waiting("Reading");
  for (let i = 0; i < 30; i++) await send(id, `Line ${i} of the chat`);
  const agent = await Agent.on(browser, world, `inbox?open=${id}`);
  const lines = agent.page.getByRole("log", { name: "Messages" });
  await lines.getByText("Line 29 of the chat").waitFor();
  await until(() => lines.evaluate((box) => box.scrollTop > 0));
  await lines.evaluate((box) => box.scrollTo(0, 20));

  await send(id, "The newest line");
  await lines.getByText("The newest line").waitFor();
  await agent.page.waitForTimeout(200);
  assert.ok(await lines.evaluate((box) => box.scrollTop) < 100);
  await agent.page.getByLabel("Your answer").fill("My own line");
  await agent.page.keyboard.press("Enter");

  await until(() => lines.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80));
});

test("keys_of_an_input_method_neither_leave_the_reply_nor_choose_a_command", async () => {
  const { id } = await waiting("Composing");
  const agent = await Agent.on(browser, world, `inbox?open=${id}`);
  const reply = agent.page.getByLabel("Your answer");
  await reply.focus();
  await reply.dispatchEvent("keydown", { key: "Escape", keyCode: 229, bubbles: true });
  assert.equal(await reply.evaluate((box) => document.activeElement === box), true);

  await agent.page.keyboard.press("Control+k");
  const commands = agent.page.getByRole("combobox", { name: "Go to a page or do something" });
  await commands.fill("widget");
  await commands.dispatchEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true });

  assert.equal(await commands.isVisible(), true);
});

test("a_reply_that_is_too_long_is_not_cut", async () => {
  const { id } = await waiting("Long reply");
  const agent = await Agent.on(browser, world, `inbox?open=${id}`);
  const reply = agent.page.getByLabel("Your answer");
  await reply.fill(`${"a".repeat(4_100)} end`);

  await agent.page.keyboard.press("Enter");

  await agent.page.getByText("4,104 of 4,000 characters").waitFor();
  assert.match(await reply.inputValue(), /end$/);
});
