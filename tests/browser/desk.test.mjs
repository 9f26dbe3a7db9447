// Checks that an agent can rely on the dashboard: nothing written is lost, threads reach their beginning, times
// advance, the URL restores every view, and the list shows everybody who waits.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, watchedPage } from "./browser.mjs";
import { Agent } from "./pages.mjs";
import { graphql, offers, until } from "./server.mjs";
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
async function waiting(text = "Do you ship to Tromsø") {
  const question = `${text}, number ${count++}?`;
  const { askQuestion } = await run("mutation($q: String!) { askQuestion(input: {question: $q}) { conversation { id } userErrors { message } } }", { q: question });
  const { id } = askQuestion.conversation;
  await run("mutation($id: ID!) { requestHandoff(input: {conversationId: $id, customerEmail: \"ada@example.org\"}) { userErrors { message } } }", { id });
  return { id, question };
}
const send = (id, text) => run("mutation($id: ID!, $t: String!) { sendMessage(input: {conversationId: $id, text: $t}) { userErrors { message } } }", { id, t: text });
const resolve = (id) => run("mutation($id: ID!) { resolveConversation(input: {conversationId: $id}) { userErrors { message } } }", { id });
const textsOf = async (id) => (await run("query($id: ID!) { node(id: $id) { ... on Conversation { messages(last: 50) { nodes { text } } } } }", { id })).node.messages.nodes.map(({ text }) => text);
const reply = (agent) => agent.page.getByLabel("Your answer");

test("an_unsent_reply_is_sent_later_although_another_conversation_is_open", async () => {
  const [one, two] = [await waiting(), await waiting()];
  const agent = await Agent.on(browser, world);
  await agent.isLive();
  await agent.read(one.question);
  await agent.context.setOffline(true);
  await agent.say("Written offline, one");
  await agent.say("Written offline, two");
  await agent.page.getByText("Not sent").first().waitFor();

  await agent.page.getByRole("link", { name: two.question }).click();
  await agent.page.getByText("The server could not be reached").waitFor();
  await agent.page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Sources" }).click();
  await agent.context.setOffline(false);

  await until(async () => (await textsOf(one.id)).slice(2).join() === "Written offline, one,Written offline, two", 20_000);
  assert.equal((await textsOf(two.id)).length, 2);
});

test("an_unsent_reply_and_a_draft_survive_a_reload", async () => {
  const [one, two] = [await waiting(), await waiting()];
  const agent = await Agent.on(browser, world);
  await agent.isLive();
  await agent.read(two.question);
  await reply(agent).fill("Half a sentence");
  await agent.read(one.question);
  assert.equal(await reply(agent).inputValue(), "");
  await agent.page.route("**/graphql", (route) => (route.request().postData()?.includes("sendMessage") ? route.abort() : route.continue()));
  await agent.say("Kept over a reload");
  await agent.page.getByText("Not sent").waitFor();

  await agent.page.unroute("**/graphql");
  await agent.page.reload();
  await agent.signIn(world);
  await until(async () => (await textsOf(one.id)).includes("Kept over a reload"), 20_000);
  await agent.read(two.question);

  assert.equal(await reply(agent).inputValue(), "Half a sentence");
  assert.equal((await textsOf(one.id)).length, 3);
});

test("a_long_thread_can_be_read_from_its_first_message", async () => {
  const { id, question } = await waiting();
  for (let i = 0; i < 105; i++) await send(id, `Message ${i}.`);
  const agent = await Agent.on(browser, world, `inbox?open=${id}`);
  await agent.thread.getByText("Message 104.", { exact: true }).waitFor();

  const earlier = agent.page.getByRole("button", { name: "Show earlier messages" });
  while (await earlier.isVisible()) {
    const before = await agent.thread.getByRole("article").count();
    await earlier.click();
    await until(async () => await agent.thread.getByRole("article").count() > before);
  }

  await agent.thread.getByText("Message 0.", { exact: true }).waitFor();
  assert.equal(await agent.thread.getByRole("article").count(), 107);
  assert.match(await agent.thread.getByRole("article").first().innerText(), new RegExp(question.slice(0, 20)));
});

test("relative_times_advance_while_the_page_is_open", async () => {
  const { question } = await waiting();
  const { page } = await watchedPage(browser, world.origin);
  await page.clock.install();
  await page.goto(`${world.origin}/dashboard/inbox`);
  await Agent.prototype.signIn.call({ page }, world);
  const time = page.getByRole("link", { name: question }).locator("time");
  await time.waitFor();

  await page.clock.runFor("02:05:00");

  await until(async () => /2 hours ago/.test(await time.innerText()));
});

test("everybody_who_waits_is_listed_whatever_happened_later", async () => {
  const first = await waiting("Who waits longest");
  for (let i = 0; i < 11; i++) await Promise.all(Array.from({ length: 5 }, async () => resolve((await waiting("Already closed")).id)));

  const agent = await Agent.on(browser, world);
  await agent.page.getByRole("link", { name: first.question }).waitFor();
  await agent.page.getByRole("navigation", { name: "Filter" }).getByRole("link", { name: "Closed" }).click();
  const list = agent.page.getByRole("region", { name: "Conversations" });
  await list.getByRole("link", { name: /Already closed/ }).first().waitFor();
  while (await list.getByRole("button", { name: "Show more" }).isVisible()) {
    const before = await list.locator(".entry").count();
    await list.getByRole("button", { name: "Show more" }).click();
    await until(async () => await list.locator(".entry").count() > before);
  }

  assert.ok(await list.locator(".entry").count() >= 55);
});

test("a_visitor_who_asks_for_a_human_while_the_list_is_being_read_is_not_lost", async () => {
  const agent = await Agent.on(browser, world, "conversations");
  await agent.isLoaded();
  const held = [];
  let isHolding = true;
  await agent.page.route("**/graphql", async (route) => {
    if (!isHolding || !/query Inbox/.test(route.request().postData() ?? "")) return route.continue();
    const response = await route.fetch();
    held.push(() => route.fulfill({ response }));
    return undefined;
  });
  await agent.page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Inbox" }).click();
  await until(() => held.length > 0);

  const { question } = await waiting("Who asks while a member reads");
  await until(async () => /\(\d+\)/.test(await agent.page.getByRole("heading", { level: 1 }).innerText()));
  const expected = (await run("{ site { conversations(first: 1, filter: {handoffStatuses: [REQUESTED]}) { totalCount } } }")).site.conversations.totalCount;
  await until(async () => (await agent.page.getByRole("heading", { level: 1 }).innerText()) === `Inbox (${expected})`);
  isHolding = false;
  await Promise.all(held.map((release) => release()));

  await agent.page.getByRole("link", { name: question }).waitFor();
});

test("the_url_restores_filters_and_the_open_conversation", async () => {
  const { question } = await waiting("Where is the url kept");
  const agent = await Agent.on(browser, world, "conversations");
  await agent.page.getByLabel("Search", { exact: true }).fill(question);
  await agent.page.getByRole("button", { name: "Search" }).click();
  await agent.page.getByText("1–1 of 1").waitFor();
  await agent.page.getByLabel("Show").selectOption("HANDOFF");
  await agent.page.locator("summary", { hasText: question }).click();
  await agent.page.getByRole("link", { name: "Open in the inbox" }).click();
  await agent.thread.getByText(question).waitFor();

  await agent.page.goBack();
  await agent.page.getByText("1–1 of 1").waitFor();
  assert.equal(await agent.page.getByLabel("Search", { exact: true }).inputValue(), question);
  assert.equal(await agent.page.getByLabel("Show").inputValue(), "HANDOFF");
  await agent.page.goForward();
  await agent.thread.getByText(question).waitFor();
  await agent.page.reload();
  await agent.signIn(world);

  await agent.thread.getByText(question).waitFor();
});

test("an_unknown_conversation_is_reported", async () => {
  const agent = await Agent.on(browser, world, "inbox?open=conv_00000000000000000000000000");

  await agent.page.getByText("This conversation does not exist").waitFor();
});

test("the_agent_sees_whether_the_visitor_is_there", async () => {
  const { id } = await waiting();
  const agent = await Agent.on(browser, world, `inbox?open=${id}`);

  await agent.page.getByText("The visitor is not here. They left the address ada@example.org.").waitFor();
});

test("a_reply_is_sent_over_plain_http", async () => {
  const { id } = await waiting();
  const plain = await launch(["--host-resolver-rules=MAP helpbot.test 127.0.0.1"]);
  try {
    const origin = world.origin.replace("127.0.0.1", "helpbot.test");
    const agent = await Agent.on(plain, { ...world, origin }, `inbox?open=${id}`);
    assert.equal(await agent.page.evaluate(() => globalThis.isSecureContext), false);

    await agent.say("Over plain HTTP");

    await until(async () => (await textsOf(id)).includes("Over plain HTTP"));
    assert.deepEqual(agent.faults, []);
  } finally {
    await plain.close();
  }
});

test("the_chart_says_that_its_days_are_utc", async () => {
  const agent = await Agent.on(browser, world, "overview");

  await agent.page.getByText("As a table").click();

  await agent.page.getByRole("columnheader", { name: "Day (UTC)" }).waitFor();
});

test("a_resolved_conversation_is_reopened_by_undo", async () => {
  const { id, question } = await waiting("Who closed this by mistake");
  const agent = await Agent.on(browser, world, `inbox?open=${id}`);
  const status = async () => (await run("query($id: ID!) { node(id: $id) { ... on Conversation { handoff { status } } } }", { id })).node.handoff.status;

  await agent.page.getByRole("button", { name: "Resolve" }).click();
  await until(async () => await status() === "RESOLVED");
  await agent.page.getByRole("button", { name: "Undo" }).click();

  await until(async () => await status() !== "RESOLVED");
  await agent.page.getByRole("link", { name: question }).first().waitFor();
});

test("a_blocked_visitor_is_unblocked_by_undo", async () => {
  const { id } = await waiting("Who was blocked by mistake");
  const agent = await Agent.on(browser, world, `inbox?open=${id}`);
  const blocked = async () => (await run("{ site { blockedVisitors { nodes { conversation { id } } } } }")).site.blockedVisitors.nodes.filter(({ conversation }) => conversation?.id === id).length;

  await agent.page.getByRole("button", { name: "Block this visitor" }).click();
  await until(async () => await blocked() === 1);
  await agent.page.getByRole("button", { name: "Undo" }).click();

  await until(async () => await blocked() === 0);
});

test("the_inbox_shows_all_questions_of_the_visit", async () => {
  const ask = (question, sessionId) => run("mutation($i: AskQuestionInput!) { askQuestion(input: $i) { conversation { id } userErrors { message } } }", { i: { question, sessionId } });
  await ask("Visit question one?", "visit-of-ada");
  const { askQuestion } = await ask("Visit question two?", "visit-of-ada");
  const { id } = askQuestion.conversation;
  await run("mutation($id: ID!) { requestHandoff(input: {conversationId: $id}) { userErrors { message } } }", { id });
  const agent = await Agent.on(browser, world, `inbox?open=${id}`, { viewport: { width: 1440, height: 900 } });

  const visit = agent.page.getByRole("region", { name: "Visit" });
  await visit.getByRole("heading", { name: "2 questions in this visit" }).waitFor();
  await agent.page.setViewportSize({ width: 1024, height: 768 });
  await visit.waitFor({ state: "hidden" });
  await agent.page.getByRole("button", { name: "Visit", exact: true }).click();
  await visit.getByRole("link", { name: "Visit question one?" }).click();

  await agent.thread.getByText("Visit question one?").waitFor();
});

test("the_enter_that_ends_a_composition_does_not_send_a_reply", async () => {
  const { id } = await waiting("Who writes in Japanese");
  const agent = await Agent.on(browser, world, `inbox?open=${id}`);
  await reply(agent).fill("日本語");

  for (const init of [{ key: "Enter", isComposing: true }, { key: "Enter", keyCode: 229 }, { key: "Process", keyCode: 229 }]) {
    await reply(agent).evaluate((box, event) => box.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...event })), init);
  }

  assert.equal(await reply(agent).inputValue(), "日本語");
  assert.equal((await textsOf(id)).length, 2);
});

test("answers_found_by_a_search_are_found_again_after_going_back", async () => {
  const agent = await Agent.on(browser, world, "answers");
  await agent.page.getByLabel("Search", { exact: true }).fill("bag");
  await agent.page.getByRole("button", { name: "Search" }).click();
  await agent.page.waitForURL(/q=bag/);
  await agent.go("Sources");

  await agent.page.goBack();

  await agent.page.getByRole("heading", { level: 1, name: "Answers" }).waitFor();
  assert.equal(await agent.page.getByLabel("Search", { exact: true }).inputValue(), "bag");
});

test("the_log_of_a_webhook_pages_to_its_first_delivery", async () => {
  for (let i = 0; i < 22; i++) {
    const { askQuestion } = await run("mutation($q: String!) { askQuestion(input: {question: $q}) { conversation { id } userErrors { message } } }", { q: `Is this vote ${i}?` });
    await run("mutation($id: ID!) { submitFeedback(input: {conversationId: $id, feedback: HELPFUL}) { userErrors { message } } }", { id: askQuestion.conversation.id });
  }
  const agent = await Agent.on(browser, world, "webhooks");
  await agent.page.getByText("Deliveries", { exact: true }).click();

  const older = agent.page.getByRole("button", { name: "Older" });
  // The last deliveries may still be added, which changes the total of the page that is shown.
  const range = agent.page.getByRole("status").filter({ hasText: /–\d+ of \d+$/ });
  const shown = async () => /–(\d+) of (\d+)$/.exec(await range.innerText()).slice(1).map(Number);
  let [end, total] = await shown();
  while (end < total) {
    const before = end;
    await older.click();
    await until(async () => ([end, total] = await shown())[0] > before);
  }

  assert.equal(end, total);
  assert.ok(await older.isDisabled());
  assert.ok(total >= 22);
});

test("two_agents_see_the_work_of_each_other_at_once", async () => {
  const { id, question } = await waiting("Who has two agents");
  const [mira, owner] = [await Agent.on(browser, world, `inbox?open=${id}`), await Agent.on(browser, { ...world, secretKey: world.ownerKey }, `inbox?open=${id}`)];
  await Promise.all([mira.isLive(), owner.isLive()]);
  await reply(owner).fill("A draft of the owner");

  await mira.page.getByRole("button", { name: "Take" }).click();
  await owner.page.getByText("with Mira Holm").waitFor();
  await mira.say("I have taken it.");
  await owner.thread.getByText("I have taken it.").waitFor();
  await owner.page.getByRole("region", { name: "Conversations" }).getByRole("link", { name: question }).waitFor({ state: "detached" });

  assert.equal(await owner.thread.getByText("I have taken it.").count(), 1);
  assert.equal(await reply(owner).inputValue(), "A draft of the owner");
  assert.equal(await reply(mira).inputValue(), "");
});

test("a_waiting_conversation_is_found_by_words_and_assigned_to_a_member", async () => {
  const { id, question } = await waiting("Who asks about porcupines");
  const agent = await Agent.on(browser, { ...world, secretKey: world.ownerKey }, "inbox", { viewport: { width: 1440, height: 900 } });
  await agent.page.getByLabel("Find a conversation").fill("porcupines");
  await agent.page.keyboard.press("Enter");
  await until(async () => await agent.page.locator(".entry").count() === 1);
  await agent.read(question);

  await agent.page.getByLabel("Assigned to").selectOption({ label: "Mira Holm" });

  await agent.page.getByText("with Mira Holm").waitFor();
  const { node } = await run("query($id: ID!) { node(id: $id) { ... on Conversation { handoff { assignee { name } } } } }", { id });
  assert.equal(node.handoff.assignee.name, "Mira Holm");
});

test("a_note_is_seen_by_the_team_at_once_and_can_be_deleted", async (t) => {
  if (!await offers(world, "addNote")) return t.skip("This schema has no notes.");
  const { id } = await waiting("Who gets a note");
  const [mira, owner] = [await Agent.on(browser, world, `inbox?open=${id}`), await Agent.on(browser, { ...world, secretKey: world.ownerKey }, `inbox?open=${id}`)];
  await Promise.all([mira.isLive(), owner.isLive()]);

  await mira.page.getByRole("button", { name: "Note", exact: true }).click();
  await mira.page.getByLabel("Note for the team").fill("She is a wholesaler.");
  await mira.page.getByRole("button", { name: "Save the note" }).click();
  await owner.thread.getByText("She is a wholesaler.").waitFor();
  assert.ok(!(await textsOf(id)).includes("She is a wholesaler."));
  await mira.page.getByRole("button", { name: /^Delete the note/ }).click();
  await mira.page.getByRole("button", { name: "Dismiss" }).click();

  return owner.thread.getByText("She is a wholesaler.").waitFor({ state: "detached" });
});

test("priority_and_tags_are_shown_in_the_list", async (t) => {
  if (!await offers(world, "updateConversation")) return t.skip("This schema has no triage.");
  const { id, question } = await waiting("Who is in a hurry");
  const agent = await Agent.on(browser, world, `inbox?open=${id}`, { viewport: { width: 1440, height: 900 } });

  await agent.page.getByLabel("Priority").selectOption("URGENT");
  await agent.page.getByLabel("Add a tag").fill("Wholesale, VIP");
  await agent.page.keyboard.press("Enter");
  const entry = agent.page.getByRole("region", { name: "Conversations" }).getByRole("link", { name: question });
  await entry.getByText("urgent").waitFor();
  await entry.getByText("vip").waitFor();
  await agent.page.getByRole("button", { name: "Remove the tag vip" }).click();

  return entry.getByText("vip").waitFor({ state: "detached" });
});

test("the_inbox_is_filtered_by_tag", async () => {
  const [tagged, other] = [await waiting("Who has the tag"), await waiting("Who has no tag")];
  await run("mutation($id: ID!) { updateConversation(input: {conversationId: $id, addTags: [\"refund\"]}) { userErrors { message } } }", { id: tagged.id });
  const agent = await Agent.on(browser, world, "inbox?tab=all");
  const list = agent.page.getByRole("region", { name: "Conversations" });
  await list.getByRole("link", { name: other.question }).waitFor();

  await agent.page.getByLabel("Tag", { exact: true }).selectOption("refund");
  await list.getByRole("link", { name: other.question }).waitFor({ state: "detached" });
  await until(async () => await agent.page.locator(".entry").count() === 1);
  assert.equal(new URL(agent.page.url()).searchParams.get("tag"), "refund");
  await run("mutation($id: ID!) { updateConversation(input: {conversationId: $id, addTags: [\"refund\"]}) { userErrors { message } } }", { id: other.id });
  await list.getByRole("link", { name: other.question }).waitFor();
  await run("mutation($id: ID!) { updateConversation(input: {conversationId: $id, removeTags: [\"refund\"]}) { userErrors { message } } }", { id: tagged.id });

  await list.getByRole("link", { name: tagged.question }).waitFor({ state: "detached" });
});

test("a_member_sees_that_another_one_is_writing_too", async () => {
  const { id } = await waiting("Who gets two replies");
  const [mira, owner] = [await Agent.on(browser, world, `inbox?open=${id}`), await Agent.on(browser, { ...world, secretKey: world.ownerKey }, `inbox?open=${id}`)];
  await Promise.all([mira.isLive(), owner.isLive()]);

  await reply(mira).fill("I am writing");
  await owner.page.getByText("Mira Holm is writing a reply too.").waitFor();
  assert.equal(await mira.page.getByText("is writing a reply too.").count(), 0);
  await reply(mira).fill("");

  await owner.page.getByText("is writing a reply too.").waitFor({ state: "detached" });
});

/** The number of visitors who wait, as the navigation shows it. */
const waitingCount = async (agent) => Number(/\d+/.exec(await agent.page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Inbox" }).innerText())?.[0] ?? 0);

/** The number of visitors who wait, as the server counts them. */
const countedByServer = async () => (await run("{ site { conversations(first: 0, filter: {handoffStatuses: [REQUESTED]}) { totalCount } } }")).site.conversations.totalCount;
const isCounted = async (agent) => await waitingCount(agent) === await countedByServer();

test("the_overview_and_the_counts_are_live", async () => {
  const agent = await Agent.on(browser, world, "overview");
  const list = agent.page.getByRole("main");
  await list.getByText("Credits this month").waitFor();
  await waiting("Which zebra is live");

  await list.getByRole("link", { name: /Which zebra is live/ }).waitFor();
  const { id } = await waiting("Who is counted");
  await until(() => isCounted(agent));
  const before = await waitingCount(agent);
  assert.ok(before > 0);
  await resolve(id);
  await until(() => isCounted(agent));
  assert.equal(await waitingCount(agent), before - 1);
});

test("the_count_is_polled_where_streams_are_blocked", async () => {
  const agent = await Agent.on(browser, world, "overview");
  await agent.context.routeWebSocket(/graphql/, (socket) => socket.close());
  await agent.context.route("**/graphql/stream", (route) => route.abort());
  await agent.page.reload();
  await agent.signIn(world);
  await agent.page.getByText("Credits this month").waitFor();
  await until(() => isCounted(agent), 20_000);

  await waiting("Who is polled");

  await until(() => isCounted(agent), 20_000);
});

test("a_canned_reply_is_inserted_with_its_placeholders_filled_in", async (t) => {
  if (!await offers(world, "addCannedReply")) return t.skip("This schema has no canned replies.");
  const { id, question } = await waiting("Who gets a canned reply");
  const agent = await Agent.on(browser, world, "canned");
  await agent.page.getByRole("button", { name: "New reply" }).click();
  await agent.page.getByLabel("Name").fill("Thanks");
  await agent.page.getByLabel("Text").fill("Thanks for asking “{{conversation.question}}”.");
  await agent.page.getByRole("button", { name: "Save" }).click();
  await agent.page.getByRole("listitem").filter({ hasText: "Thanks" }).waitFor();

  await agent.go("Inbox");
  await agent.page.getByRole("link", { name: question }).first().click();
  await agent.page.getByRole("button", { name: "Replies" }).click();
  await agent.page.getByRole("dialog").getByRole("button", { name: /Thanks/ }).click();

  await until(async () => await reply(agent).inputValue() === `Thanks for asking “${question}”.`);
  return assert.equal((await textsOf(id)).length, 2);
});

test("business_hours_are_saved_and_shown", async (t) => {
  if (!await offers(world, "updateBusinessHours")) return t.skip("This schema has no business hours.");
  const agent = await Agent.on(browser, world, "hours");

  await agent.page.getByLabel("Time zone").selectOption("Europe/Oslo");
  await agent.page.getByLabel("Monday, from").fill("08:30");
  await agent.page.getByLabel("Holidays").fill("2026-12-24\n2026-12-25");
  await agent.page.getByRole("button", { name: "Save" }).click();
  await agent.page.getByRole("button", { name: "Remove the business hours" }).waitFor();

  const { site } = await run("{ site { businessHours { timeZone holidays periods { day opensAt } } } }");
  assert.equal(site.businessHours.timeZone, "Europe/Oslo");
  assert.deepEqual(site.businessHours.holidays, ["2026-12-24", "2026-12-25"]);
  return assert.deepEqual(site.businessHours.periods[0], { day: "MONDAY", opensAt: "08:30" });
});
