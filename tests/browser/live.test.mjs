// A visitor and an agent in separate browser contexts: asking, voting, handing over, chatting, and losing the
// connection without losing a message.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";
import { Agent, Visitor, faultsOf, violations } from "./pages.mjs";
import { offers, until, lineTo } from "./server.mjs";
import { startWorld } from "./states.mjs";

const OFFLINE_MS = 10_000;
/** The delay between two attempts is at most 8 s, and the first attempt can use a broken pooled connection. */
const RECONNECT_MS = 20_000;
const ANSWERABLE = "How long does delivery take?";
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let browser;
let server;
before(async () => {
  server = await startWorld();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.stop();
});

test("a_visitor_asks_reads_and_votes", async () => {
  const visitor = await Visitor.on(browser, server);
  await visitor.open();

  await visitor.ask(ANSWERABLE);
  await visitor.log.getByRole("button", { name: "Helpful", exact: true }).click();
  await visitor.log.getByText("Glad it helped!").waitFor();

  assert.equal(await visitor.log.getByRole("button", { name: "Helpful", exact: true }).getAttribute("aria-pressed"), "true");
  assert.deepEqual(await violations(visitor.page), []);
  assert.deepEqual(faultsOf(visitor), []);
});

test("a_question_is_answered_rated_and_handed_over_to_a_human", async () => {
  const [agent, visitor] = [await Agent.on(browser, server), await Visitor.on(browser, server)];
  await agent.isLive();
  await visitor.open();

  const stream = visitor.page.waitForResponse(/\/graphql\/stream$/);
  await visitor.ask("Can I return a bag?");
  const source = visitor.log.getByRole("link", { name: "Questions about our bags" });
  await source.waitFor();
  await visitor.log.getByText("within 30 days").waitFor();
  await visitor.log.getByRole("button", { name: "Helpful", exact: true }).click();
  await visitor.log.getByText("Glad it helped!").waitFor();
  await visitor.wantHuman("ada@example.org");
  await agent.read("Can I return a bag?");
  await agent.page.getByRole("link", { name: "ada@example.org" }).waitFor();
  await agent.page.getByRole("button", { name: "Take" }).click();
  await agent.page.getByText("with Mira Holm").waitFor();
  await agent.say("Yes: should I send you a label?");
  await visitor.log.getByText("should I send you a label?").waitFor();
  await visitor.log.getByText("Mira Holm", { exact: true }).waitFor();

  assert.match((await stream).headers()["content-type"], /^text\/event-stream/);
  assert.equal((await source.getAttribute("href")).split("#")[0], `${server.shop.origin}/faq`);
  assert.deepEqual([...faultsOf(agent), ...faultsOf(visitor)], []);
});

test("the_conversation_is_shown_on_the_next_page", async () => {
  const visitor = await Visitor.on(browser, server);
  await visitor.open();
  await visitor.ask(ANSWERABLE);
  await visitor.log.getByRole("button", { name: "Not helpful" }).waitFor();

  await visitor.page.reload();
  await visitor.open();

  await visitor.log.getByText(ANSWERABLE).waitFor();
});

test("the_widget_works_with_the_keyboard_alone", async () => {
  const visitor = await Visitor.on(browser, server);
  const launcher = visitor.page.getByRole("button", { name: /chat/i });
  await launcher.focus();

  await visitor.page.keyboard.press("Enter");
  await visitor.page.getByRole("dialog").waitFor();
  await visitor.page.keyboard.type(ANSWERABLE);
  await visitor.page.keyboard.press("Enter");
  await visitor.log.getByRole("button", { name: "Helpful", exact: true }).waitFor();
  await visitor.page.keyboard.press("Escape");

  await visitor.page.getByRole("dialog").waitFor({ state: "hidden" });
  assert.equal(await visitor.page.evaluate(() => document.activeElement.shadowRoot.activeElement.className), "launch");
});

test("an_agent_reply_appears_without_a_reload", async () => {
  const question = `Do you sell zeppelins (${Date.now()})?`;
  const [agent, visitor] = [await Agent.on(browser, server), await Visitor.on(browser, server)];
  await agent.isLive();
  await visitor.open();

  await visitor.ask(question);
  await visitor.wantHuman();
  await agent.read(question);
  await agent.say("Only **paper** ones.");
  await visitor.log.getByText("paper", { exact: true }).waitFor();
  await visitor.ask("Paper will do.");
  await agent.thread.getByText("Paper will do.").waitFor();
  await agent.page.getByRole("button", { name: "Resolve" }).click();
  await visitor.log.getByText("The conversation was closed.").waitFor();

  assert.equal(await visitor.log.getByText("Paper will do.").count(), 1);
  assert.deepEqual([...faultsOf(agent), ...faultsOf(visitor)], []);
});

test("a_closed_panel_counts_unread_messages", async () => {
  const question = `Is the harbor open (${Date.now()})?`;
  const [agent, visitor] = [await Agent.on(browser, server), await Visitor.on(browser, server)];
  await visitor.open();
  await visitor.ask(question);
  await visitor.wantHuman();
  await visitor.page.keyboard.press("Escape");

  await agent.read(question);
  await agent.say("All day.");

  await visitor.page.getByRole("button", { name: /1 unread/ }).waitFor();
});

test("no_message_is_lost_when_both_sides_are_offline_for_ten_seconds", async (t) => {
  const question = `May I bring a heron (${Date.now()})?`;
  const line = await lineTo(server.origin);
  t.after(() => line.stop());
  const proxied = { ...server, origin: line.origin };
  const [agent, visitor, second] = [await Agent.on(browser, proxied), await Visitor.on(browser, proxied), await Agent.on(browser, server)];
  await agent.isLive();
  await visitor.open();
  await visitor.ask(question);
  await visitor.wantHuman();
  await agent.read(question);
  await second.read(question);
  await agent.say("Before the gap.");
  await visitor.log.getByText("Before the gap.").waitFor();

  line.cut();
  await second.say("Theirs, one.");
  await second.say("Theirs, two.");
  await agent.say("Agent, one.");
  await agent.say("Agent, two.");
  await visitor.ask("Visitor, one.");
  await visitor.ask("Visitor, two.");
  await pause(OFFLINE_MS);
  line.restore();

  const gap = [["Theirs, one.", "Theirs, two."], ["Agent, one.", "Agent, two."], ["Visitor, one.", "Visitor, two."]];
  for (const where of [visitor.log, agent.thread, second.thread]) {
    for (const text of gap.flat()) await where.getByText(text, { exact: true }).waitFor({ timeout: RECONNECT_MS });
    const said = await where.innerText();
    for (const [one, two] of gap) assert.ok(said.indexOf("Before the gap.") < said.indexOf(one) && said.indexOf(one) < said.indexOf(two), said);
    for (const text of gap.flat()) assert.equal(await where.getByText(text, { exact: true }).count(), 1, text);
  }
  await visitor.log.getByRole("button", { name: "Try again" }).waitFor({ state: "detached" });
  await agent.page.locator(".unsent").waitFor({ state: "detached" });
  assert.deepEqual([...faultsOf(agent, { isCut: true }), ...faultsOf(visitor, { isCut: true })], []);
});

test("the_live_chat_uses_server_sent_events_when_websockets_are_blocked", async () => {
  const question = `Does the ferry run (${Date.now()})?`;
  const visitor = await Visitor.on(browser, server);
  await visitor.page.addInitScript(() => {
    globalThis.WebSocket = class {
      constructor() {
        throw new Error("blocked");
      }
    };
  });
  await visitor.page.reload();
  const agent = await Agent.on(browser, server);
  await visitor.open();
  await visitor.ask(question);
  await visitor.wantHuman();

  await agent.read(question);
  await agent.say("Twice a day.");

  await visitor.log.getByText("Twice a day.").waitFor({ timeout: 15_000 });
});

test("the_widget_asks_by_post_and_polls_when_streams_are_blocked", async () => {
  const question = `Does the night ferry run (${Date.now()})?`;
  const visitor = await Visitor.on(browser, server);
  const requests = [];
  visitor.page.on("request", (request) => requests.push(new URL(request.url()).pathname));
  await visitor.page.routeWebSocket("**/graphql", (socket) => socket.close());
  await visitor.page.route("**/graphql/stream", (route) => route.abort());
  const agent = await Agent.on(browser, server);
  await visitor.open();
  await visitor.ask(question);
  await visitor.wantHuman();

  await agent.read(question);
  await agent.say("Only in summer.");
  await visitor.log.getByText("Only in summer.").waitFor();
  await visitor.ask("Thank you.");
  await agent.thread.getByText("Thank you.").waitFor();

  assert.equal(await visitor.log.getByText("Only in summer.").count(), 1);
  assert.deepEqual(requests.filter((path) => path.startsWith("/api/v1/") && path !== "/api/v1/config"), []);
});

test("hostile_messages_stay_text", async () => {
  const question = `<img src=x onerror="window.hit=1"> [x](javascript:window.hit=2) ${Date.now()}`;
  const [agent, visitor] = [await Agent.on(browser, server), await Visitor.on(browser, server)];
  await visitor.open();
  await visitor.ask(question);
  await visitor.wantHuman();
  await agent.read(question.slice(0, 20));
  await agent.say("<script>window.hit=3</script> [y](javascript:window.hit=4) <svg onload=window.hit=5>");

  await visitor.log.getByText("<script>window.hit=3</script>").waitFor();

  for (const { page } of [visitor, agent]) {
    assert.equal(await page.evaluate(() => globalThis.hit), undefined);
    await until(async () => (await page.locator("[href^='javascript:' i], img[onerror], svg[onload]").count()) === 0);
  }
  assert.deepEqual([...faultsOf(agent), ...faultsOf(visitor)], []);
});

test("both_sides_see_presence_and_typing", async (t) => {
  if (!await offers(server, "setTyping")) return t.skip("This schema has no typing indicator.");
  const question = `Is there a tide table (${Date.now()})?`;
  const [agent, visitor] = [await Agent.on(browser, server), await Visitor.on(browser, server)];
  await agent.isLive();
  await visitor.open();
  await visitor.ask(question);
  await visitor.wantHuman();
  await agent.read(question);
  await agent.page.getByText("is here", { exact: true }).waitFor();

  await visitor.page.getByRole("dialog").getByRole("textbox").last().pressSequentially("I w");
  await agent.page.getByText("is typing…").waitFor();
  await agent.page.getByLabel("Your answer").pressSequentially("We ");
  await visitor.log.locator(".dots").waitFor();
  await agent.say("We have one.");
  await visitor.log.getByText("We have one.").waitFor();

  await visitor.log.locator(".dots").waitFor({ state: "detached" });
  return assert.deepEqual([...faultsOf(agent), ...faultsOf(visitor)], []);
});
