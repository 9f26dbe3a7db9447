// Checks that a visitor's session is never lost: tabs share it, the server's state is applied on return, refused and
// damaged sessions are replaced, and interrupted or stalled requests end in an answer.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";
import { HostedWidget, addPage, storageName, tagOf } from "./hosted.mjs";
import { graphql, until } from "./server.mjs";
import { startWorld } from "./states.mjs";

const ANSWERABLE = "Can I return a bag?";
const ANSWER = "Yes, within 30 days";
/** A stream without any bytes for this long is broken. */
const STALLED_MS = 15_000;

let browser;
let world;
let url;
let plainUrl;
before(async () => {
  [world, browser] = [await startWorld(), await launch()];
  url = addPage(world, `<h1>Shop</h1>${tagOf(world)}`);
  plainUrl = addPage(world, "<h1>Imprint</h1>");
});
after(async () => {
  await browser?.close();
  world?.stop();
});

const asTeam = (query, variables) => graphql(world.origin, world.secretKey, query, variables);
const newContext = () => browser.newContext({ reducedMotion: "reduce" });

/** The conversation with this question, as the team sees it. */
async function conversationOf(question) {
  const query = "query($s: String!) { site { conversations(first: 1, filter: {search: $s}) { nodes { id handoff { status } messages(last: 50) { nodes { author text } } } } } }";
  return (await asTeam(query, { s: question })).site.conversations.nodes[0];
}
const reply = (id, text) => asTeam("mutation($i: SendMessageInput!) { sendMessage(input: $i) { userErrors { message } } }", { i: { conversationId: id, text } });
const resolve = (id) => asTeam("mutation($i: ResolveConversationInput!) { resolveConversation(input: $i) { userErrors { message } } }", { i: { conversationId: id } });
const reopen = (id) => asTeam("mutation($i: ReopenConversationInput!) { reopenConversation(input: $i) { userErrors { message } } }", { i: { conversationId: id } });
const isTold = (question, text, withinMs) => until(async () => (await conversationOf(question)).messages.nodes.filter((message) => message.text === text).length === 1, withinMs);

let count = 0;
/** A widget in a chat with the team, its unique question and the ID of the conversation. */
async function withTeam(context) {
  const question = `Do you make bags for owls, number ${count++}?`;
  const widget = await HostedWidget.on(context, url);
  await widget.open();
  await widget.ask(question);
  await widget.answer();
  await widget.wantHuman();
  return { widget, question, id: (await conversationOf(question)).id };
}

test("all_tabs_show_the_same_chat_live", async () => {
  const context = await newContext();
  const other = await HostedWidget.on(context, url);
  await other.open();
  const { widget, question, id } = await withTeam(context);
  await other.has(question);
  await reply(id, "Hello in both tabs");
  await Promise.all([widget.has("Hello in both tabs"), other.has("Hello in both tabs")]);

  await other.ask("From the other tab");
  await widget.has("From the other tab");
  await widget.page.close();
  await reply(id, "Still there?");

  await other.has("Still there?");
  await isTold(question, "From the other tab");
  assert.equal(await other.log.getByText("From the other tab").count(), 1);
});

test("an_old_tab_does_not_overwrite_a_newer_chat", async () => {
  const context = await newContext();
  const old = await HostedWidget.on(context, url);
  await old.open();
  const { widget, id } = await withTeam(context);
  await widget.page.close();

  await old.page.goto(plainUrl);
  await reply(id, "Written while you browsed");
  await old.page.goto(url);
  await old.open();

  await old.has("Written while you browsed");
});

test("two_first_questions_in_two_tabs_share_one_session", async () => {
  const context = await newContext();
  const [one, two] = [await HostedWidget.on(context, url), await HostedWidget.on(context, url)];
  await one.open();
  await two.open();

  await Promise.all([one.ask(ANSWERABLE), two.ask("Is the canvas waterproof?")]);
  await one.answer(2);

  const { entries, session } = await one.stored(world.widgetKey);
  const ids = entries.filter(({ kind }) => kind === "bot").map(({ conversationId }) => conversationId);
  const { nodes } = await asTeam("query($ids: [ID!]!) { nodes(ids: $ids) { ... on Conversation { sessionId } } }", { ids });
  assert.deepEqual(nodes.map(({ sessionId }) => sessionId), [session.id, session.id]);
});

test("a_first_question_that_a_page_load_interrupts_is_answered_in_a_session_with_a_token", async () => {
  const context = await newContext();
  let isHeld = true;
  await context.route("**/graphql/stream", (route) => (isHeld ? undefined : route.continue()));
  const widget = await HostedWidget.on(context, url);
  await widget.open();
  await widget.ask(ANSWERABLE);
  await widget.log.locator(".dots").waitFor();

  isHeld = false;
  await widget.page.reload();
  await widget.open();
  await widget.answer();

  const { session, entries } = await widget.stored(world.widgetKey);
  assert.match(session.token, /^st_/);
  assert.equal(entries.filter(({ kind }) => kind === "bot").length, 1);
});

test("a_duplicated_tab_does_not_ask_the_question_of_its_original_again", async () => {
  const context = await newContext();
  let isHeld = true;
  const asked = [];
  await context.route("**/graphql/stream", (route) => {
    if (/subscription Answer/.test(route.request().postData() ?? "")) asked.push(route);
    return isHeld ? undefined : route.continue();
  });
  await context.route("**/graphql", (route) => {
    if (/mutation Ask/.test(route.request().postData() ?? "")) asked.push(route);
    return route.continue();
  });
  const widget = await HostedWidget.on(context, url);
  await widget.open();
  await widget.page.reload();
  await widget.open();
  await widget.ask(ANSWERABLE);
  await until(() => asked.length === 1);

  // Like a duplicated tab, a page that is opened by a script starts with a copy of the sessionStorage.
  const [page] = await Promise.all([context.waitForEvent("page"), widget.page.evaluate((to) => void open(to), url)]);
  const copy = new HostedWidget(page);
  await copy.open();
  await copy.has(ANSWERABLE);
  isHeld = false;
  await asked[0].continue();
  await widget.answer();
  await copy.answer();

  assert.equal(asked.length, 1);
  assert.equal(await copy.log.locator(".msg.visitor").count(), 1);
});

test("a_session_is_never_stored_without_its_token", async () => {
  const context = await newContext();
  await context.route("**/graphql**", (route) => route.abort());
  const widget = await HostedWidget.on(context, url);
  await widget.open();
  await widget.ask(ANSWERABLE);
  await widget.log.getByRole("button", { name: "Try again" }).waitFor();
  assert.equal((await widget.stored(world.widgetKey)).session, null);

  await context.unroute("**/graphql**");
  await widget.log.getByRole("button", { name: "Try again" }).click();
  await widget.answer();
  await widget.wantHuman();

  const { id } = await conversationOf(ANSWERABLE);
  await reply(id, "Found you");
  await widget.has("Found you");
});

test("a_conversation_that_was_closed_meanwhile_goes_back_to_the_bot", async () => {
  const context = await newContext();
  const { widget, id } = await withTeam(context);
  await widget.page.goto(plainUrl);
  await reply(id, "Goodbye");
  await resolve(id);

  await widget.page.goto(url);
  await widget.open();
  await widget.has("Goodbye");
  await widget.has("The conversation was closed.");
  await widget.ask(ANSWERABLE);

  await widget.log.getByText(ANSWER).waitFor();
});

test("a_message_to_a_conversation_that_was_just_closed_is_answered_by_the_bot", async () => {
  const context = await newContext();
  await context.routeWebSocket(/graphql/, (socket) => socket.close());
  await context.route("**/graphql/stream", (route) => route.abort());
  const { widget, id } = await withTeam(context);
  await resolve(id);

  await widget.ask(ANSWERABLE);

  await widget.log.getByText(ANSWER).waitFor();
});

test("a_reopened_conversation_is_heard_on_an_open_page_and_on_the_next_one", async () => {
  const context = await newContext();
  const { widget, question, id } = await withTeam(context);
  await resolve(id);
  await widget.has("The conversation was closed.");

  await reopen(id);
  await reply(id, "One more thing");
  await widget.has("One more thing");
  await widget.ask("I am listening");
  await isTold(question, "I am listening");
  await resolve(id);
  await widget.page.goto(plainUrl);
  await reopen(id);
  await reply(id, "And another one");
  await widget.page.goto(url);

  await widget.page.getByRole("button", { name: /1 unread/ }).waitFor();
});

test("a_refused_token_begins_a_new_session_and_says_so", async () => {
  const context = await newContext();
  const { widget } = await withTeam(context);
  await widget.page.evaluate((name) => {
    const state = JSON.parse(localStorage.getItem(name));
    state.session.token = `st_${"A".repeat(state.session.token.length - 3)}`;
    localStorage.setItem(name, JSON.stringify(state));
  }, storageName(world.widgetKey));

  await widget.page.reload();
  await widget.open();
  await widget.has("Your earlier conversation has expired. This is a new one.");
  await widget.ask(ANSWERABLE);
  await widget.log.getByText(ANSWER).waitFor();
  await widget.wantHuman();
  await reply((await conversationOf(ANSWERABLE)).id, "Hello again");

  await widget.has("Hello again");
});

const DAMAGED = [
  "", "null", "[]", "{", "\"text\"", "{\"entries\":null}", "{\"run\":\"r\",\"usedAt\":1,\"entries\":[]}", "{\"run\":\"r\",\"usedAt\":9e15,\"entries\":[],\"session\":[]}",
  "{\"run\":\"r\",\"usedAt\":NOW,\"entries\":[null,1,{},{\"kind\":\"bot\"},{\"kind\":\"bot\",\"key\":\"a\",\"text\":\"b\",\"conversationId\":\"c\",\"links\":7},{\"kind\":\"agent\",\"key\":\"a\",\"text\":5}],\"session\":{\"id\":\"x\"},\"handoffs\":[],\"unread\":\"many\"}",
  "{\"sessionId\":\"old\",\"sessionToken\":null,\"live\":\"conv_x\",\"entries\":[{\"kind\":\"visitor\",\"text\":\"Hi\"}],\"usedAt\":NOW}",
];
test("a_damaged_store_is_replaced", async () => {
  const context = await newContext();
  const widget = await HostedWidget.on(context, plainUrl);
  for (const text of DAMAGED) {
    await widget.page.goto(plainUrl);
    await widget.page.evaluate(([name, value]) => localStorage.setItem(name, value.replace("NOW", String(Date.now()))), [storageName(world.widgetKey), text]);
    await widget.page.goto(url);
    await widget.open();

    await widget.ask(ANSWERABLE);

    await widget.log.getByText(ANSWER).first().waitFor();
  }
});

test("start_again_drops_late_answers_and_ends_the_chat_in_all_tabs", async () => {
  const context = await newContext();
  let release;
  const held = new Promise((done) => {
    release = done;
  });
  await context.route("**/graphql/stream", async (route) => {
    await held;
    await route.continue().catch(() => {});
  });
  const [widget, other] = [await HostedWidget.on(context, url), await HostedWidget.on(context, url)];
  await widget.open();
  await other.open();
  await widget.ask(ANSWERABLE);
  await other.has(ANSWERABLE);

  await widget.root.getByRole("button", { name: "Start again" }).click();
  await other.log.getByText(ANSWERABLE).waitFor({ state: "detached" });
  release();
  await widget.ask("Is the canvas waterproof?");
  await widget.answer();

  assert.equal(await widget.log.getByText(ANSWER).count(), 0);
  assert.equal(await widget.log.locator(".msg.visitor").count(), 1);
});

test("start_again_in_another_tab_lets_a_waiting_tab_ask_again", async () => {
  const context = await newContext();
  await context.route("**/graphql/stream", () => {});
  const [widget, other] = [await HostedWidget.on(context, url), await HostedWidget.on(context, url)];
  await widget.open();
  await other.open();
  await widget.ask(ANSWERABLE);
  await other.has(ANSWERABLE);

  await context.unroute("**/graphql/stream");
  await other.root.getByRole("button", { name: "Start again" }).click();
  await widget.log.getByText(ANSWERABLE).waitFor({ state: "detached" });
  await widget.ask("Is the canvas waterproof?");

  await widget.answer();
});

test("messages_that_failed_are_delivered_in_order_without_a_click", async () => {
  const context = await newContext();
  const { widget, id, question } = await withTeam(context);
  const failures = [(route) => route.abort(), (route) => route.fulfill({ status: 503, body: "restarting", headers: { "Access-Control-Allow-Origin": "*" } })];
  const refused = { data: null, errors: [{ message: "Too many requests. Try again later.", extensions: { code: "RATE_LIMITED", retryAfter: 60 } }] };
  failures.push((route) => route.fulfill({ json: refused, headers: { "Access-Control-Allow-Origin": "*" } }));
  await context.route("**/graphql", (route) => (route.request().postData()?.includes("sendMessage") && failures.length ? failures.shift()(route) : route.continue()));

  const texts = ["First of three", "Second of three", "Third of three"];
  for (const text of texts) await widget.ask(text);

  await isTold(question, texts.at(-1), 30_000);
  assert.deepEqual((await conversationOf(question)).messages.nodes.slice(2).map(({ text }) => text), texts);
  await widget.log.getByRole("button", { name: "Try again" }).waitFor({ state: "detached" });
  await reply(id, "All three arrived");
  await widget.has("All three arrived");
});

test("a_message_of_a_tab_that_was_closed_is_delivered_by_another_tab", async () => {
  const context = await newContext();
  const { widget, question } = await withTeam(context);
  const other = await context.newPage();
  await other.clock.install();
  await other.goto(url);
  await widget.page.route("**/graphql", (route) => (route.request().postData()?.includes("sendMessage") ? undefined : route.continue()));

  await widget.ask("Written while leaving");
  await widget.page.close();
  await until(async () => {
    await other.clock.fastForward(1_000);
    return (await conversationOf(question)).messages.nodes.some(({ text }) => text === "Written while leaving");
  });

  await isTold(question, "Written while leaving");
});

test("a_stream_that_stalls_is_replaced_by_a_request", async () => {
  const context = await newContext();
  await context.route("**/graphql/stream", () => {});
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(url);
  const widget = new HostedWidget(page);
  await widget.open();

  const stream = page.waitForRequest("**/graphql/stream");
  await widget.ask(ANSWERABLE);
  await stream;
  await page.clock.fastForward(STALLED_MS);
  await widget.log.getByText(ANSWER).waitFor();
  await widget.ask("Is the canvas waterproof?");

  // The next question does not wait for a stream again.
  await widget.answer(2);
});

test("the_enter_that_ends_a_composition_does_not_send", async () => {
  const widget = await HostedWidget.on(await newContext(), url);
  await widget.open();
  await widget.box.fill("日本語");

  for (const init of [{ key: "Enter", isComposing: true }, { key: "Enter", keyCode: 229 }, { key: "Process", keyCode: 229 }]) {
    await widget.box.evaluate((box, event) => box.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, composed: true, ...event })), init);
  }

  assert.equal(await widget.box.inputValue(), "日本語");
});

test("a_draft_survives_a_page_load", async () => {
  const widget = await HostedWidget.on(await newContext(), url);
  await widget.open();
  await widget.box.fill("Half a quest");
  await until(async () => (await widget.stored(world.widgetKey))?.draft === "Half a quest");

  await widget.page.reload();
  await widget.open();

  assert.equal(await widget.box.inputValue(), "Half a quest");
});

test("a_state_that_was_read_before_an_event_does_not_undo_it", async () => {
  const context = await newContext();
  const { widget, id } = await withTeam(context);
  let held;
  await context.route("**/graphql", async (route) => {
    if (held || !/query Current/.test(route.request().postData() ?? "")) return route.continue();
    const response = await route.fetch();
    held = () => route.fulfill({ response });
    return undefined;
  });
  await widget.page.evaluate(() => dispatchEvent(new Event("online")));
  await until(() => held);

  await resolve(id);
  await widget.has("The conversation was closed.");
  await held();
  await widget.ask(ANSWERABLE);
  await widget.log.getByText(ANSWER).waitFor();

  assert.equal(await widget.log.getByText("The conversation was reopened.").count(), 0);
});

/** The newest conversation that waits for a human. */
const newestWaiting = async () => (await asTeam("{ site { conversations(first: 1, filter: {handoffStatuses: [REQUESTED]}) { nodes { id messages(last: 50) { nodes { text } } } } } }")).site.conversations.nodes[0];

test("a_visitor_talks_to_the_team_before_the_first_question", async () => {
  const context = await newContext();
  const widget = await HostedWidget.on(context, url);
  await widget.open();
  await widget.wantHuman();
  const line = `Is anybody there (${Date.now()})?`;
  await widget.ask(line);

  await until(async () => (await newestWaiting()).messages.nodes.some(({ text }) => text === line));
  await reply((await newestWaiting()).id, "Yes, I am");
  await widget.has("Yes, I am");
  await widget.page.reload();
  await widget.page.getByRole("button", { name: /chat/i }).click();

  await widget.has("Yes, I am");
});

test("a_visitor_who_asks_for_a_human_in_words_talks_to_the_team", async () => {
  const widget = await HostedWidget.on(await newContext(), url);
  await widget.open();
  await widget.ask("I want to talk to a human");
  await widget.answer();
  const line = `Hello team (${Date.now()})`;
  await widget.ask(line);

  await until(async () => (await newestWaiting()).messages.nodes.some(({ text }) => text === line));
});

test("the_first_question_that_is_refused_offers_a_human", async () => {
  const context = await newContext();
  await context.route("**/graphql/stream", (route) => route.fulfill({ status: 404 }));
  await context.route("**/graphql", (route) => (route.request().postData()?.includes("askQuestion(")
    ? route.fulfill({ status: 200, json: { errors: [{ message: "refused", extensions: { code: "CREDITS_EXHAUSTED" } }] }, headers: { "Access-Control-Allow-Origin": "*" } }) : route.continue()));
  const widget = await HostedWidget.on(context, url);
  await widget.open();
  await widget.ask(ANSWERABLE);

  const failed = widget.log.locator(".msg.visitor").last();
  await failed.getByText("The assistant cannot answer at the moment.").waitFor();
  await failed.getByRole("button", { name: "Talk to a human" }).click();
  await widget.log.getByRole("button", { name: "Skip" }).click();

  await widget.log.getByText("Our team has been notified").waitFor();
});

test("refusals_have_words_and_offer_a_human", async () => {
  const refusals = { CREDITS_EXHAUSTED: "The assistant cannot answer at the moment.", RATE_LIMITED: "Too many messages at once." };
  for (const [code, words] of Object.entries(refusals)) {
    const context = await newContext();
    const widget = await HostedWidget.on(context, url);
    await widget.open();
    await widget.ask(ANSWERABLE);
    await widget.answer();
    await context.route("**/graphql/stream", (route) => route.fulfill({ status: 404 }));
    await context.route("**/graphql", (route) => (route.request().postData()?.includes("askQuestion(")
      ? route.fulfill({ status: 200, json: { errors: [{ message: "refused", extensions: { code } }] }, headers: { "Access-Control-Allow-Origin": "*" } }) : route.continue()));

    await widget.ask("Is the canvas waterproof?");
    const failed = widget.log.locator(".msg.visitor").last();
    await failed.getByText(words).waitFor();
    await failed.getByRole("button", { name: "Talk to a human" }).click();
    await widget.log.getByRole("button", { name: "Skip" }).click();

    await widget.log.getByText("Our team has been notified").waitFor();
  }
});
