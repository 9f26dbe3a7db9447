// Sends the hostile texts as questions, answers, messages, titles of crawled pages and widget settings through the
// widget, the dashboard, e-mail and exports. Nothing may run, load a file or become a formula.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { parse } from "csv-parse/sync";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { launch, watchedPage } from "./browser.mjs";
import { FORMULAS, PAYLOADS, TRAP, escaped, strange, texts } from "./corpus.mjs";
import { Agent, Visitor, faultsOf } from "./pages.mjs";
import { graphql, startServer, until } from "./server.mjs";
import { startShop } from "./shop.mjs";

const QUESTION_CHARS = 1000;
/** A mail about several requests shows this many characters of each question. */
const DIGEST_QUOTE_CHARS = 500;
/** A mail shows at most 20 requests. */
const REQUESTS_PER_MAIL = 15;
const MESSAGE_CHARS = 4000;
const SETTING_CHARS = 500;
const BOT_NAME_CHARS = 80;
const TITLE_CHARS = 200;
const THINGS = ("anchor basket candle drum engine feather garden hammer island jacket kettle ladder mirror needle orchard pillow quilt ribbon saddle teapot umbrella violin wagon xylophone yoke zipper "
  + "bridge carpet dragon eagle fountain goblet harvest iron jungle kitchen lantern mountain notebook ocean parrot queen river silver tower valley window yard apple bottle castle desert elephant forest "
  + "giraffe hotel insect jewel knight lemon magnet nutmeg onion piano rabbit statue tractor uniform village walnut").split(" ");

let browser;
let server;
let shop;
let mailbox;
const mails = [];

before(async () => {
  mailbox = new SMTPServer({ authOptional: true, disabledCommands: ["STARTTLS", "AUTH"], onData: (stream, _session, done) => simpleParser(stream).then((mail) => done(null, mails.push(mail)), done) });
  await new Promise((resolve) => mailbox.listen(0, "127.0.0.1", resolve));
  shop = await startShop(pages());
  server = await startServer({
    HELPBOT_ALLOW_PRIVATE: "127.0.0.1", HELPBOT_RATE_LIMITS: "off", HELPBOT_OWNER_EMAIL: "owner@example.org",
    HELPBOT_SMTP_URL: `smtp://127.0.0.1:${mailbox.server.address().port}`, HELPBOT_SMTP_FROM: "HelpBot <help@example.org>",
    HELPBOT_HANDOFF_MAIL_INTERVAL_S: "1",
  });
  browser = await launch();
  await ask("mutation($url: String!) { addSource(input: {url: $url, scope: SECTION}) { userErrors { message } } }", { url: `${shop.origin}/corpus` });
  await until(async () => (await ask("{ site { sources(first: 5) { nodes { status } } } }")).site.sources.nodes.every(({ status }) => status === "INDEXED"), 120_000);
  for (let at = 0; at < questions.length; at += REQUESTS_PER_MAIL) {
    for (const question of questions.slice(at, at + REQUESTS_PER_MAIL)) await request(question);
    // The next requests come after these are mailed, so that no mail has more of them than it shows.
    await until(() => questions.slice(0, at + REQUESTS_PER_MAIL).every(isMailed), 60_000);
  }
});
after(async () => {
  await browser?.close();
  server?.stop();
  shop?.stop();
  mailbox?.close();
});

const ask = (query, variables) => graphql(server.origin, server.secretKey, query, variables);
const answers = texts(700);
const titles = texts(TITLE_CHARS);
/** The texts in few questions. Each formula is a separate question, so that it becomes a separate cell. */
const questions = [...texts(DIGEST_QUOTE_CHARS), ...FORMULAS];

let requests = 0;
/** A visitor asks the question and then for a human. Each visitor has another address, so that the mails list all of them. */
async function request(question) {
  const number = requests++;
  const { askQuestion } = await ask("mutation($q: String!) { askQuestion(input: {question: $q}) { conversation { id } userErrors { message } } }", { q: question });
  const input = { conversationId: askQuestion.conversation.id, customerEmail: `visitor.${number}@example.org` };
  await graphql(server.origin, server.secretKey, "mutation($i: RequestHandoffInput!) { requestHandoff(input: $i) { userErrors { message } } }", { i: input }, `203.0.113.${number}`);
}

/** The words of a text. Mails omit invisible characters and begin each line with a mark. */
const wordsOf = (text) => text.split(/[\s\p{Cc}\p{Cf}]+/u).filter((word) => word && word !== ">");
/** Whether a mail contains all words of the question in their order. */
const isMailed = (question) => mails.some(({ text }) => wordsOf(text).join("").includes(wordsOf(question).join("")));

/** Pages whose titles and answers are the hostile texts, each answer with its own question. */
function pages() {
  const made = {};
  const count = Math.max(titles.length, answers.length);
  const links = Array.from({ length: count }, (_, i) => `<a href="/corpus/${i}">Page</a>`).join(" ");
  made["/corpus"] = `<!doctype html><title>All</title><main>${links}</main>`;
  for (let i = 0; i < count; i++) {
    const thing = THINGS[i % THINGS.length];
    const said = (answers[i] ?? "Nothing.").split("\n\n").map((text) => `<p>${escaped(text)}</p>`).join("");
    made[`/corpus/${i}`] = `<!doctype html><html lang="en"><title>${escaped(titles[i] ?? "More")}</title><main><h2>What does the ${thing} say?</h2>${said}</main></html>`;
  }
  return made;
}

async function trapped(open, ...rest) {
  const who = await open(browser, server, ...rest);
  await who.page.addInitScript(TRAP);
  who.page.on("dialog", (dialog) => who.faults.push(`dialog ${dialog.message()}`));
  await who.page.reload();
  return who;
}

const agentOn = async (name) => {
  const agent = await trapped((...all) => Agent.on(...all), name);
  await agent.signIn(server);
  return agent;
};

async function assertHarmless(who) {
  assert.deepEqual(await strange(who.page), []);
  assert.deepEqual(faultsOf(who), []);
}

test("the_corpus_has_at_least_300_texts", () => {
  assert.ok(PAYLOADS.length >= 300, String(PAYLOADS.length));
});

test("answers_and_crawled_titles_stay_text_in_the_widget", async () => {
  const visitor = await trapped((...all) => Visitor.on(...all), "/demo");
  await visitor.open();

  for (let i = 0; i < answers.length; i++) {
    await visitor.ask(`What does the ${THINGS[i % THINGS.length]} say?`);
    await visitor.log.getByRole("button", { name: "Helpful", exact: true }).nth(i).waitFor();
  }

  const said = await visitor.log.innerText();
  assert.ok(PAYLOADS.filter((payload) => !payload.includes("\n") && said.includes(payload)).length > PAYLOADS.length / 4, said.slice(0, 500));
  await assertHarmless(visitor);
});

test("questions_and_messages_stay_text_in_widget_and_inbox", async () => {
  const visitor = await trapped((...all) => Visitor.on(...all), "/demo");
  const agent = await agentOn("inbox");
  await agent.isLive();
  await visitor.open();
  await visitor.ask("Is a heron welcome?");
  await visitor.wantHuman();
  await agent.read("Is a heron welcome?");

  const lines = texts(MESSAGE_CHARS);
  for (const line of lines) await agent.say(line);
  for (const line of texts(QUESTION_CHARS)) await visitor.ask(line);
  await agent.say("The end of it.");
  await visitor.ask("The last of it.");
  await visitor.log.getByText("The end of it.").waitFor();
  await agent.thread.getByText("The last of it.").waitFor();

  for (const where of [visitor.log, agent.thread]) assert.ok((await where.innerText()).includes("<script>hit()</script>"));
  await assertHarmless(visitor);
  await assertHarmless(agent);
});

test("questions_stay_text_on_every_page_of_the_dashboard", async () => {
  const agent = await agentOn("overview");

  for (const title of ["Overview", "Inbox", "Conversations", "Unanswered", "Answers", "Sources", "Answer lab"]) {
    await agent.page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link", { name: title }).click();
    await agent.isLoaded();
    for (const next = agent.page.getByRole("button", { name: "Next", exact: true }); await next.isVisible() && await next.isEnabled();) {
      await assertHarmless(agent);
      await Promise.all([agent.page.waitForResponse(/\/graphql$/).then((response) => response.finished()), next.click()]);
      await agent.page.evaluate(() => new Promise((drawn) => setTimeout(() => requestAnimationFrame(drawn))));
    }
    await assertHarmless(agent);
  }
  const report = agent.page.getByRole("listitem").filter({ hasText: `${shop.origin}/corpus` });
  await agent.go("Sources");
  await report.getByText("Page report").click();
  await report.getByRole("cell").first().waitFor();
  await assertHarmless(agent);
});

test("no_cell_of_an_export_is_a_formula", async () => {
  const agent = await agentOn("conversations");

  const [download] = await Promise.all([agent.page.waitForEvent("download"), agent.page.getByRole("button", { name: "Export CSV" }).click()]);
  const rows = parse(await readFile(await download.path(), "utf8"), { bom: true });

  const { site } = await ask("{ site { conversations(first: 1) { totalCount } } }");
  assert.equal(rows.length, site.conversations.totalCount + 1);
  const formulas = rows.flat().filter((cell) => /^[\s\u0000\u00a0\ufeff]*[=+\-@|%\t\r\uff1d\uff0b\uff0d\uff20]/.test(cell));
  assert.deepEqual(formulas, []);
  assert.ok(rows.some((row) => row.includes("'=1+1")), "the formulas were among the questions");
});

test("mails_are_text_and_their_html_does_nothing", async () => {
  // A mail about one request also contains the answer.
  for (const thing of THINGS.slice(0, 3)) {
    const { length } = mails;
    await request(`What does the ${thing} say?`);
    await until(() => mails.length > length);
  }
  const { page, faults } = await watchedPage(browser, server.origin);
  await page.addInitScript(TRAP);
  await page.goto("about:blank");

  for (const mail of mails) {
    await page.setContent(mail.html);
    assert.deepEqual(await strange(page), [], mail.text);
    assert.doesNotMatch(mail.subject, /[\r\n]/);
    assert.ok(mail.to.value.length === 1 && !mail.cc && !mail.bcc);
  }

  assert.deepEqual(questions.filter((question) => !isMailed(question)), []);
  assert.ok(mails.filter(({ text }) => text.includes("The bot answered")).length >= 3);
  assert.deepEqual(faults, []);
});

test("texts_of_the_settings_stay_text", async () => {
  const fields = ["greeting", "onlineText", "inputPlaceholder", "typingText", "feedbackYesText", "feedbackNoText", "handoffText", "handoffSentText", "emailPlaceholder", "emailSendText", "emailSkipText", "errorText", "networkErrorText"];
  const words = texts(SETTING_CHARS);
  const names = texts(BOT_NAME_CHARS);
  for (let at = 0; at < words.length; at += fields.length) {
    const input = Object.fromEntries(fields.map((field, i) => [field, words[(at + i) % words.length]]));
    await ask("mutation($input: UpdateWidgetConfigInput!) { updateWidgetConfig(input: $input) { userErrors { message field } } }", { input: { ...input, botName: names[at % names.length] } });
    const visitor = await trapped((...all) => Visitor.on(...all), "/demo");
    await visitor.page.locator("helpbot-widget .launch").click();
    await visitor.log.waitFor();
    await visitor.ask("Do you sell zeppelins?");
    await visitor.log.locator("[aria-pressed]").first().click();
    await visitor.log.locator("[data-human]").last().click();
    await visitor.log.locator("form button[type=button]").click();
    await visitor.log.locator(".note").waitFor();

    await assertHarmless(visitor);
    await visitor.context.close();
  }
});

test("colors_are_validated", async () => {
  for (const color of ["red;background:url(//attacker.invalid)", "url(//attacker.invalid)", "expression(hit())", "red}*{color:red", "var(--x,url(//attacker.invalid))", "image-set('//attacker.invalid' 1x)", "javascript:hit()", "</style><script>hit()</script>"]) {
    await assert.rejects(ask("mutation($c: String!) { updateWidgetConfig(input: {primaryColor: $c}) { userErrors { message } } }", { c: color }), color);
  }
});
