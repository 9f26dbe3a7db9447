// Every state of the widget and the dashboard, and the steps that lead to it. The accessibility tests and the
// screenshots use them.
//
// All states share one server with a small shop. Each state creates its own data with its own texts. A state that
// causes an error names it: `mayLog` matches the console messages that are expected then.

import { Agent, Visitor } from "./pages.mjs";
import { startShop } from "./shop.mjs";
import { graphql, startServer, until } from "./server.mjs";

const ANSWERABLE = "How long does delivery take?";
const LOST_LINE = /ERR_|Failed to load resource|WebSocket/;

/**
 * Violations in the markup of GraphiQL, by axe rule: a tab contains its close button, and the text of CodeMirror is
 * scrolled with the keys of the focused field beside it.
 */
const GRAPHIQL = { "nested-interactive": ".graphiql-tab", "scrollable-region-focusable": ".CodeMirror-scroll" };

/** Starts a server with the shop as a source, conversations, a member, a failing webhook and test questions. */
export async function startWorld() {
  const shop = await startShop();
  const server = await startServer({ HELPBOT_ALLOW_PRIVATE: "127.0.0.1", HELPBOT_RATE_LIMITS: "off" });
  const ask = (query, variables) => graphql(server.origin, server.secretKey, query, variables);
  await ask(`mutation($url: String!) { addSource(input: {url: $url, scope: SECTION, schedule: WEEKLY}) { userErrors { message } } }`, { url: `${shop.origin}/faq` });
  await until(async () => {
    const { site } = await ask("{ site { sources(first: 5) { nodes { status } } } }");
    return site.sources.nodes.length > 1 && site.sources.nodes.every(({ status }) => status === "INDEXED");
  }, 30_000);
  await ask(`mutation($url: String!) { createWebhook(input: {url: $url, description: "Our ticket system", events: [CONVERSATION_FEEDBACK]}) { userErrors { message } } }`, { url: `${shop.origin}/hook` });
  const { addMember } = await ask(`mutation { addMember(input: {name: "Mira Holm", email: "mira@example.org", role: ADMIN}) { secret } }`);
  const { askQuestion } = await ask(`mutation($q: String!) { askQuestion(input: {question: $q}) { conversation { id } userErrors { message } } }`, { q: ANSWERABLE });
  await ask(`mutation($id: ID!) { submitFeedback(input: {conversationId: $id, feedback: HELPFUL}) { userErrors { message } } }`, { id: askQuestion.conversation.id });
  for (const question of [ "Is the canvas waterproof?", "Do you mend torn straps?", "Do you sell gift cards?", "Can I buy a gift card?", "Where is your shop in Bergen?"]) {
    await ask(`mutation($q: String!) { askQuestion(input: {question: $q}) { userErrors { message } } }`, { q: question });
  }
  for (const [question, url] of [[ANSWERABLE, `${shop.origin}/faq`], ["Do you sell zeppelins?", null]]) {
    await ask(`mutation($q: String!, $u: String) { addEvaluationCase(input: {question: $q, url: $u}) { userErrors { message } } }`, { q: question, u: url });
  }
  const stop = () => {
    server.stop();
    shop.stop();
  };
  return { ...server, secretKey: addMember.secret, ownerKey: server.secretKey, shop, stop };
}

const visit = (path, act, more) => ({ open: (browser, world, options) => Visitor.on(browser, world, path, options), act, ...more });
const desk = (name, act, more) => ({ open: (browser, world, options) => Agent.on(browser, world, name, options), act, ...more });
/** The dashboard before signing in. */
const signedOut = (act, more) => visit("/dashboard", act, more);

const used = new Map();
/** Returns the question unchanged the first time and with a number later, so that each question is unique. */
function fresh(question) {
  const count = (used.get(question) ?? 0) + 1;
  used.set(question, count);
  return count === 1 ? question : question.replace("?", `, number ${count}?`);
}

/** Asks a question and asks for a human. Returns the unique question. */
async function waitingVisitor(visitor, question) {
  const unique = fresh(question);
  await visitor.open();
  await visitor.ask(unique);
  await visitor.wantHuman();
  return unique;
}

/** Creates a conversation that waits for a human, without a browser. */
async function request({ origin, ownerKey }, question) {
  const unique = fresh(question);
  const { askQuestion } = await graphql(origin, ownerKey, "mutation($q: String!) { askQuestion(input: {question: $q}) { conversation { id } } }", { q: unique });
  const { id } = askQuestion.conversation;
  await graphql(origin, ownerKey, `mutation($id: ID!) { requestHandoff(input: {conversationId: $id, customerEmail: "ada@example.org"}) { userErrors { message } } }`, { id });
  return { id, question: unique };
}

const reply = ({ origin, secretKey }, id, text) => graphql(origin, secretKey,
  "mutation($id: ID!, $t: String!) { sendMessage(input: {conversationId: $id, text: $t}) { userErrors { message } } }", { id, t: text });

/** The ID of the conversation with this question. */
async function idOf({ origin, ownerKey }, question) {
  const { site } = await graphql(origin, ownerKey, "query($s: String!) { site { conversations(first: 1, filter: {search: $s}) { nodes { id } } } }", { s: question });
  return site.conversations.nodes[0].id;
}

async function withConfig(visitor, change) {
  await visitor.page.route("**/api/v1/config?*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...await response.json(), ...change } });
  });
  await visitor.page.reload();
}

export const STATES = {
  "demo": visit("/demo", (visitor) => visitor.page.getByRole("button", { name: /chat/i }).waitFor()),
  "widget-open": visit("/demo", (visitor) => visitor.open()),
  "widget-writing": visit("/demo", async (visitor) => {
    await visitor.page.route("**/graphql/stream", () => {});
    await visitor.open();
    await visitor.ask(ANSWERABLE);
    await visitor.log.locator(".dots").waitFor();
  }),
  "widget-answer": visit("/demo", async (visitor) => {
    await visitor.open();
    await visitor.ask(ANSWERABLE);
    await visitor.log.getByRole("button", { name: "Helpful", exact: true }).click();
    await visitor.log.getByText("Glad it helped!").waitFor();
  }),
  "widget-handoff": visit("/demo", async (visitor) => {
    await visitor.open();
    await visitor.ask("Do you have an atelier in Oslo?");
    await visitor.log.getByRole("button", { name: "Talk to a human" }).click();
    await visitor.log.getByRole("textbox").fill("nobody@");
    await visitor.log.getByRole("button", { name: "Send", exact: true }).click();
    await visitor.log.getByText("Please check the e-mail").waitFor();
  }),
  "widget-live": visit("/demo", async (visitor, world) => {
    const question = await waitingVisitor(visitor, "Do you make bags for dogs?");
    await visitor.ask("Hello, is somebody there?");
    await reply(world, await idOf(world, question), "Hi, **Mira** here. For small dogs, yes.");
    await visitor.log.getByText("For small dogs, yes.").waitFor();
  }),
  "widget-closed": visit("/demo", async (visitor, world) => {
    const question = await waitingVisitor(visitor, "Do you make bags for cats?");
    const id = await idOf(world, question);
    await reply(world, id, "Not yet.");
    await visitor.log.getByText("Not yet.").waitFor();
    await graphql(world.origin, world.ownerKey, "mutation($id: ID!) { resolveConversation(input: {conversationId: $id}) { userErrors { message } } }", { id });
    await visitor.log.getByText("The conversation was closed.").waitFor();
  }),
  "widget-unread": visit("/demo", async (visitor, world) => {
    const question = await waitingVisitor(visitor, "Do you make bags for herons?");
    await visitor.page.keyboard.press("Escape");
    await reply(world, await idOf(world, question), "All day.");
    await visitor.page.getByRole("button", { name: /1 unread/ }).waitFor();
  }),
  "widget-error": visit("/demo", async (visitor) => {
    await visitor.page.route("**/graphql**", (route) => route.fulfill({ status: 500, json: { errors: [{ message: "no", extensions: { code: "INTERNAL" } }] } }));
    await visitor.open();
    await visitor.ask(ANSWERABLE);
    await visitor.log.getByRole("button", { name: "Try again" }).waitFor();
  }, { mayLog: LOST_LINE }),
  "widget-offline": visit("/demo", async (visitor) => {
    await waitingVisitor(visitor, "Do you make bags for fish?");
    await visitor.context.setOffline(true);
    await visitor.ask("Hello?");
    await visitor.log.getByRole("button", { name: "Try again" }).waitFor();
    await visitor.page.getByText("Reconnecting…").waitFor();
  }, { mayLog: LOST_LINE }),
  "widget-arabic": visit("/demo", async (visitor) => {
    await withConfig(visitor, { aiLanguage: "ar", position: "bottom-left", botName: "مساعد", greeting: "مرحبا! كيف أساعدك؟", inputPlaceholder: "اكتب سؤالك", handoffText: "تحدث مع شخص" });
    await visitor.page.getByRole("button", { name: /مساعد/ }).click();
    await visitor.ask(ANSWERABLE);
    await visitor.log.getByRole("button", { name: "مفيد", exact: true }).waitFor();
  }),
  "embed": { open: (browser, world, options) => Visitor.on(browser, world, `/embed?apiKey=${world.widgetKey}`, options), act: async (visitor) => {
    await visitor.ask("Is the canvas waterproof?");
    await visitor.log.getByText("waxed").first().waitFor();
  } },
  "embed-without-key": visit("/embed", (visitor) => visitor.page.getByRole("alert").waitFor()),
  "landing": visit("/", (visitor) => visitor.page.getByRole("link", { name: "Open the dashboard" }).waitFor()),
  "docs": visit("/docs", (visitor) => visitor.page.getByRole("heading", { level: 1 }).waitFor()),
  "graphiql-without-key": visit("/graphiql", (visitor) => visitor.page.getByText("Paste a key above").waitFor()),
  "graphiql": visit("/graphiql", async ({ page }, { secretKey }) => {
    await page.getByLabel("Key", { exact: true }).fill(secretKey);
    await page.getByRole("button", { name: "Use" }).click();
    await page.locator(".graphiql-query-editor").getByText("The key that you use").waitFor();
    await page.getByRole("button", { name: /Execute query/ }).click();
    await page.locator(".result-window").getByText("MEMBER").waitFor();
  }, { notOurs: GRAPHIQL }),
  "signin": signedOut((visitor) => visitor.page.getByRole("button", { name: "Sign in" }).waitFor()),
  "signin-refused": signedOut(async (visitor) => {
    await visitor.page.getByLabel("Key", { exact: true }).fill("sk_live_wrong");
    await visitor.page.getByRole("button", { name: "Sign in" }).click();
    await visitor.page.getByRole("alert").waitFor();
  }, { mayLog: /status of 401/ }),
  "overview": desk("overview", (agent) => agent.page.locator(".chart canvas").waitFor()),
  "overview-table": desk("overview", async (agent) => {
    await agent.page.getByText("As a table").click();
    await agent.page.getByRole("columnheader", { name: "Day" }).waitFor();
  }),
  "inbox": desk("inbox", async (agent, world) => {
    const { id, question } = await request(world, "Do you engrave names?");
    await agent.isLive();
    await agent.read(question);
    await agent.page.getByRole("button", { name: "Take" }).click();
    await agent.page.getByText("with Mira Holm").waitFor();
    await agent.say("Hello Ada, yes, we do: up to **twelve letters**.");
    await agent.page.locator(".line.agent").waitFor();
    await agent.page.getByText("Sending…").waitFor({ state: "detached" });
    await reply(world, id, "Which name would you like?");
    await agent.thread.getByText("Which name would you like?").waitFor();
  }),
  "inbox-draft": desk("inbox", async (agent, world) => {
    const { question } = await request(world, "Is the canvas waterproof?");
    await agent.isLive();
    await agent.read(question);
    await agent.page.getByRole("button", { name: "Draft", exact: true }).click();
    await agent.page.getByRole("group", { name: "Sources of the draft" }).waitFor();
    await agent.page.getByLabel("Keep the reply as an FAQ entry").check();
  }),
  "inbox-offline": desk("inbox", async (agent, world) => {
    const { question } = await request(world, "Do you dye canvas?");
    await agent.isLive();
    await agent.read(question);
    await agent.context.setOffline(true);
    await agent.say("In six colors.");
    await agent.page.getByText("Not sent").waitFor();
    await agent.page.getByText("Reconnecting…").waitFor();
  }, { mayLog: LOST_LINE }),
  "inbox-resolved": desk("inbox", async (agent, world) => {
    const { question } = await request(world, "Do you gild buckles?");
    await agent.isLive();
    await agent.read(question);
    await agent.page.getByRole("button", { name: "Resolve" }).click();
    await agent.page.getByRole("button", { name: "Undo" }).waitFor();
  }),
  "palette": desk("overview", async (agent) => {
    await agent.page.getByRole("button", { name: "Go to…" }).click();
    await agent.page.getByRole("dialog").getByRole("combobox").fill("dark");
  }),
  "inbox-nothing": desk("inbox", async (agent) => {
    await agent.page.getByText("Select a conversation").waitFor({ state: "attached" });
    await agent.page.getByRole("navigation", { name: "Filter" }).getByRole("link", { name: "All" }).click();
    await agent.page.locator(".entry").first().waitFor();
  }),
  "conversations": desk("conversations", async (agent) => {
    await agent.page.getByLabel("Show").selectOption("UNANSWERED");
    await agent.page.locator("summary").first().click();
    await agent.page.getByLabel("Write the answer").first().waitFor();
  }),
  "conversations-nothing": desk("conversations", async (agent) => {
    await agent.page.getByLabel("Search", { exact: true }).fill("quetzalcoatl");
    await agent.page.getByRole("button", { name: "Search" }).click();
    await agent.page.getByText("No results").waitFor();
  }),
  "topics": desk("topics", (agent) => agent.page.getByLabel("Answer", { exact: true }).first().waitFor()),
  "answers": desk("answers", async (agent) => {
    await agent.page.locator("summary").first().click();
    await agent.page.getByRole("button", { name: "Write an answer" }).click();
  }),
  "sources": desk("sources", async (agent, { shop }) => {
    const card = agent.page.getByRole("listitem").filter({ hasText: shop.origin });
    await card.getByText("Page report").click();
    await card.getByRole("cell", { name: /robots/ }).waitFor();
    await agent.page.getByText("Limits", { exact: true }).click();
  }),
  "lab": desk("lab", async (agent) => {
    await agent.page.getByLabel("Question", { exact: true }).fill(ANSWERABLE);
    await agent.page.getByRole("button", { name: "Ask" }).click();
    await agent.page.getByText("Evidence").waitFor();
    await agent.page.getByRole("button", { name: "Run all" }).click();
    await agent.page.getByText(/of 2 passed/).waitFor();
  }),
  "widget": desk("widget", async (agent) => {
    await agent.page.getByLabel("Text on header and buttons", { exact: true }).fill("#0b1220");
    await agent.page.getByText("hard to read for many people").waitFor();
    await agent.page.getByLabel("Text on header and buttons", { exact: true }).fill("#ffffff");
    await agent.page.getByText("Contrast").first().waitFor();
    await agent.page.waitForFunction(() => document.querySelector(".preview > div")?.style.getPropertyValue("--hb-on-primary") === "#ffffff");
    await agent.page.getByRole("dialog").waitFor();
  }),
  "widget-texts": desk("widget", async (agent) => {
    await agent.page.getByLabel("Language to add").fill("fr");
    await agent.page.getByRole("button", { name: "Add language" }).click();
    await agent.page.getByRole("textbox", { name: "Greeting" }).fill("Salut !");
    await agent.page.getByText("1 unsaved change").waitFor();
    await agent.page.waitForFunction(() => document.querySelector(".preview > div")?.shadowRoot.textContent.includes("Salut !"));
  }),
  "keys": desk("keys", async (agent) => {
    await agent.page.getByRole("button", { name: "New key" }).click();
    await agent.page.getByLabel("Kind").selectOption("SECRET");
  }),
  "keys-secret": desk("keys", async (agent) => {
    await agent.page.getByRole("button", { name: "New key" }).click();
    await agent.page.getByRole("button", { name: "Create key" }).click();
    await agent.page.getByText("Copy it now").waitFor();
  }),
  "webhooks": desk("webhooks", async (agent, world) => {
    await until(async () => {
      const { site } = await graphql(world.origin, world.ownerKey, "{ site { webhooks { deliveries(first: 5) { nodes { attemptCount } } } } }");
      return site.webhooks[0].deliveries.nodes.some(({ attemptCount }) => attemptCount > 0);
    }, 30_000);
    await agent.page.getByText("Deliveries", { exact: true }).click();
    await agent.page.getByText("Attempts", { exact: true }).first().click();
    await agent.page.getByRole("cell", { name: /503/ }).first().waitFor();
  }),
  "webhooks-form": desk("webhooks", (agent) => agent.page.getByRole("button", { name: "New webhook" }).click()),
  "members": desk("members", async (agent) => {
    await agent.page.getByRole("button", { name: "Add a member" }).click();
    await agent.page.getByLabel("E-mail").waitFor();
  }),
  "audit": desk("audit", (agent) => agent.page.getByRole("region", { name: "Changes" }).waitFor()),
  "sites": { open: (browser, world, options) => Agent.on(browser, { ...world, secretKey: world.operatorKey }, "sites", options), act: (agent) => agent.page.getByRole("heading", { level: 1 }).waitFor() },
};
