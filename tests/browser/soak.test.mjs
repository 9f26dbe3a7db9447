// Visitors and agents chat while connections are cut and pages are reloaded, opened and closed at random. In the end
// every message must be on both sides once and in order, and every waiting visitor must be in the inbox.
//
// SOAK_MINUTES sets the duration (default: half a minute), SOAK_VISITORS the number of visitors (default: 3) and
// SOAK_SEED the random sequence.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";
import { HostedWidget, addPage, tagOf } from "./hosted.mjs";
import { Agent } from "./pages.mjs";
import { graphql, lineTo, until } from "./server.mjs";
import { startWorld } from "./states.mjs";

const DURATION_MS = Number(process.env.SOAK_MINUTES ?? 0.5) * 60_000;
const VISITORS = Number(process.env.SOAK_VISITORS ?? 3);
const AGENTS = 2;
/** The server accepts 20 messages of a visitor per minute. A message above that waits for the next minute. */
const SETTLE_MS = 100_000;
/** The widget keeps this many entries of a chat log. */
const SHOWN_MESSAGES = 90;
/** The longest pause of a person between two actions. */
const THINKING_MS = 2_000;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A small random generator (mulberry32), so that a run can be repeated. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

let browser;
let world;
const visitors = [];
before(async () => {
  [world, browser] = [await startWorld(), await launch()];
});
after(async () => {
  await browser?.close();
  for (const { line } of visitors) line.stop();
  world?.stop();
});

/** A visitor with a connection that can be cut. All tabs share the chat. */
async function startVisitor(number) {
  const line = await lineTo(world.origin);
  const visitor = { number, line, tabs: [], sent: [] };
  visitors.push(visitor);
  const url = addPage(world, `<h1>Shop</h1>${tagOf({ ...world, origin: line.origin })}`);
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const widget = await HostedWidget.on(context, url);
  await widget.open();
  const question = `Do you make bags for visitor ${number}?`;
  await widget.ask(question);
  await widget.answer();
  await widget.wantHuman();
  return Object.assign(visitor, { url, context, tabs: [widget], question, id: await idOf(question) });
}

const idOf = async (question) => {
  const { site } = await graphql(world.origin, world.ownerKey, "query($s: String!) { site { conversations(first: 1, filter: {search: $s}) { nodes { id } } } }", { s: question });
  return site.conversations.nodes[0].id;
};
/** All messages of a conversation, read in pages. */
async function messagesOf(id, after = null) {
  const query = "query($id: ID!, $after: String) { node(id: $id) { ... on Conversation { messages(first: 100, after: $after) { nodes { author text } pageInfo { hasNextPage endCursor } } } } }";
  const { nodes, pageInfo } = (await graphql(world.origin, world.ownerKey, query, { id, after })).node.messages;
  return pageInfo.hasNextPage ? [...nodes, ...await messagesOf(id, pageInfo.endCursor)] : nodes;
}

/** Describes what the server and every tab of a visitor know, for the message of a failed test. */
async function reportOf(visitor) {
  const isTroubled = (entry) => entry.kind === "visitor" && (entry.fault || entry.sender || (entry.to === "team" && !entry.id));
  const lines = [`Visitor ${visitor.number} wrote ${visitor.sent.length} messages. Stored on the server:`];
  for (const { author, text } of await messagesOf(visitor.id)) lines.push(`  ${author} ${text}`);
  for (const [index, tab] of visitor.tabs.entries()) {
    try {
      const { entries, ...state } = await tab.stored(world.widgetKey);
      lines.push(`Tab ${index} (${await tab.page.evaluate(() => `${document.visibilityState}, ${navigator.onLine ? "online" : "offline"}, ${sessionStorage["helpbot:tab"]}`)}): ${JSON.stringify(state)}`);
      for (const entry of entries.filter(isTroubled)) lines.push(`  not delivered: ${JSON.stringify(entry)} age ${Date.now() - entry.since}`);
      lines.push(`  shows: ${JSON.stringify(await tab.root.locator(".panel").innerText({ timeout: 1000 }))}`);
    } catch (error) {
      lines.push(`  could not be read: ${error.message}`);
    }
  }
  return lines.join("\n");
}

/** Runs `work` and adds the report about the visitor to its error. */
async function explained(visitor, work) {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${error.message}\n${await reportOf(visitor)}`, { cause: error });
  }
}

async function openPanel(widget) {
  await widget.launcher.waitFor();
  if (!await widget.box.isVisible()) await widget.open();
}

/** One random step of a visitor. */
async function step(visitor, random) {
  const { tabs, line, context, url } = visitor;
  const tab = tabs[Math.floor(random() * tabs.length)];
  const choice = random();
  if (choice < 0.5) {
    await openPanel(tab);
    const text = `visitor ${visitor.number}, message ${visitor.sent.length}`;
    await tab.ask(text);
    visitor.sent.push(text);
    // Messages of one visitor come from different tabs. Each is stored before the next is written.
    await tab.log.getByText(text, { exact: true }).waitFor();
    await tab.page.waitForFunction(([root, words]) => {
      const messages = [...document.querySelector(root).shadowRoot.querySelectorAll(".msg.visitor")];
      return messages.some((message) => message.textContent.includes(words) && !message.dataset.fault);
    }, ["helpbot-widget", text], { timeout: SETTLE_MS });
  } else if (choice < 0.65) {
    line.cut();
    await pause(500 + random() * 3000);
    line.restore();
  } else if (choice < 0.8) {
    await tab.page.reload();
  } else if (choice < 0.9 && tabs.length < 3) {
    tabs.push(await HostedWidget.on(context, url));
  } else if (tabs.length > 1) {
    await tab.page.close();
    tabs.splice(tabs.indexOf(tab), 1);
  }
}

/** Every message is on the server and in every tab once, and those of each author are in order. */
async function check(visitor, replies) {
  const expected = { visitor: visitor.sent, agents: replies };
  await until(async () => (await messagesOf(visitor.id)).length >= 2 + expected.visitor.length + expected.agents.flat().length, SETTLE_MS);
  const stored = (await messagesOf(visitor.id)).slice(2);
  assert.deepEqual(stored.filter(({ author }) => author === "VISITOR").map(({ text }) => text), expected.visitor);
  const ofAgents = stored.filter(({ author }) => author === "AGENT").map(({ text }) => text);
  assert.equal(ofAgents.length, expected.agents.flat().length);
  for (const [name, texts] of expected.agents.entries()) assert.deepEqual(ofAgents.filter((text) => text.includes(`of agent ${name} `)), texts);
  const wanted = stored.slice(-SHOWN_MESSAGES).map(({ text }) => text);
  for (const tab of visitor.tabs) {
    await openPanel(tab);
    const texts = async () => (await tab.root.locator(".log .msg.visitor .text, .log .msg.agent .text").allInnerTexts()).slice(-wanted.length);
    await until(async () => {
      assert.deepEqual((await texts()).toSorted(), wanted.toSorted());
      return true;
    }, SETTLE_MS);
    const shown = await texts();
    for (const kind of ["reply", "visitor"]) assert.deepEqual(shown.filter((text) => text.startsWith(kind)), wanted.filter((text) => text.startsWith(kind)));
  }
}

test("no_message_is_lost_doubled_or_out_of_order", { timeout: DURATION_MS + 10 * 60_000 }, async (t) => {
  const seed = Number(process.env.SOAK_SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`SOAK_SEED=${seed}`);
  const agents = [];
  for (let number = 0; number < AGENTS; number++) agents.push(await Agent.on(browser, world));
  await agents[0].isLive();
  for (let number = 0; number < VISITORS; number++) await startVisitor(number);
  const replies = new Map(visitors.map(({ question }) => [question, agents.map(() => [])]));
  const end = Date.now() + DURATION_MS;

  const run = async (visitor) => {
    const random = randomFrom(seed + visitor.number);
    while (Date.now() < end) {
      await explained(visitor, () => step(visitor, random));
      await pause(random() * THINKING_MS);
    }
    visitor.line.restore();
  };
  const answer = async (agent, name) => {
    const random = randomFrom(seed - 1 - name);
    for (let count = 0; Date.now() < end; count++) {
      const visitor = visitors[Math.floor(random() * visitors.length)];
      await agent.page.goto(`${world.origin}/dashboard/inbox?tab=all&open=${visitor.id}`);
      await agent.signIn(world);
      await agent.thread.waitFor();
      const text = `reply ${count} of agent ${name} to visitor ${visitor.number}`;
      await agent.say(text);
      replies.get(visitor.question)[name].push(text);
      await until(async () => (await messagesOf(visitor.id)).some((message) => message.text === text), 20_000).catch(async (error) => {
        throw new Error(`"${text}" was not stored. ${await agent.page.locator("section.thread").innerText()}`, { cause: error });
      });
    }
  };
  await Promise.all([...agents.map(answer), ...visitors.map(run)]);

  for (const visitor of visitors) await explained(visitor, () => check(visitor, replies.get(visitor.question)));
  const listed = [];
  for (const tab of ["waiting", "team"]) {
    const [agent] = agents;
    await agent.page.goto(`${world.origin}/dashboard/inbox?tab=${tab}`);
    await agent.signIn(world);
    await agent.isLive();
    listed.push(...await agent.page.locator(".entry strong").allInnerTexts());
  }
  for (const { question } of visitors) assert.equal(listed.filter((text) => text === question).length, 1, question);
});
