// Checks what the team sees of a visit: the widget reports the page and passes identity tokens on, the inbox shows the
// person with all visits, and another person in the same browser begins a new chat.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";
import { Agent, Visitor } from "./pages.mjs";
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

let secret;
/** An identity token as the site's own server makes it. */
async function tokenOf(claims) {
  secret ??= (await run("mutation { createIdentitySecret(input: {}) { secret } }")).createIdentitySecret.secret;
  const { site } = await run("{ site { id } }");
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ aud: site.id, exp: Math.floor(Date.now() / 1000) + 600, ...claims })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

const sessions = async () => (await run("{ site { sessions(orderBy: CREATED_DESC) { nodes { sessionId pageUrl browser language contact { name } conversations { nodes { id question } } } } } }")).site.sessions.nodes;
const sessionOf = (question) => until(async () => (await sessions()).find(({ conversations }) => conversations.nodes.some((one) => one.question === question)));

test("the_inbox_shows_the_page_the_browser_and_the_person_with_all_visits", async () => {
  const token = await tokenOf({ sub: "42", name: "Ada Lovelace", email: "ada@example.org", attributes: { plan: "Gold" } });
  const identify = ({ page }) => page.evaluate((who) => HelpBot.identify(who), { token });
  const phone = await Visitor.on(browser, world);
  await identify(phone);
  await phone.open();
  await phone.ask("Question on the phone?");
  await until(async () => (await sessionOf("Question on the phone?"))?.contact);
  const laptop = await Visitor.on(browser, world);
  await identify(laptop);
  await laptop.open();
  await laptop.ask("Question on the laptop?");
  const named = await until(async () => {
    const found = await sessionOf("Question on the laptop?");
    return found?.contact && found;
  });
  assert.equal(named.pageUrl, `${world.origin}/demo`);
  assert.match(named.browser, /^Chrome \d+ on Linux$/);
  const { id } = named.conversations.nodes[0];
  await run("mutation($id: ID!) { requestHandoff(input: {conversationId: $id}) { userErrors { message } } }", { id });

  const agent = await Agent.on(browser, world);
  await agent.isLive();
  await agent.page.setViewportSize({ width: 1500, height: 900 });
  await agent.page.getByRole("link", { name: "Question on the laptop?" }).first().click();

  const visit = agent.page.getByRole("region", { name: "Visit" });
  await visit.getByRole("heading", { name: "Contact" }).waitFor();
  for (const text of ["Ada Lovelace", "ada@example.org", "Gold", named.browser]) await visit.getByText(text, { exact: true }).waitFor();
  assert.equal(await visit.getByRole("link", { name: `${new URL(world.origin).host}/demo` }).getAttribute("rel"), "noreferrer nofollow");
  await visit.getByRole("heading", { name: "Other visits" }).waitFor();
  await visit.getByRole("link", { name: "Question on the phone?" }).click();
  await agent.thread.getByText("Question on the phone?").waitFor();
  await phone.context.close();
  await laptop.context.close();
  await agent.context.close();
});

test("another_person_in_the_same_browser_begins_a_new_chat", async () => {
  const [ada, ben] = [await tokenOf({ sub: "1", name: "Ada" }), await tokenOf({ sub: "2", name: "Ben" })];
  const visitor = await Visitor.on(browser, world);
  await visitor.page.evaluate((token) => HelpBot.identify({ token }), ada);
  await visitor.open();
  await visitor.ask("A private question of Ada?");
  await until(async () => (await sessionOf("A private question of Ada?"))?.contact);

  await visitor.page.reload();
  await visitor.page.evaluate((token) => HelpBot.identify({ token }), ben);
  await visitor.open();
  await until(async () => (await visitor.page.getByText("A private question of Ada?").count()) === 0);
  await visitor.ask("A question of Ben?");

  const ofBen = await until(async () => {
    const found = await sessionOf("A question of Ben?");
    return found?.contact && found;
  });
  assert.equal(ofBen.contact.name, "Ben");
  assert.deepEqual(ofBen.conversations.nodes.map(({ question }) => question), ["A question of Ben?"]);
  assert.equal((await sessionOf("A private question of Ada?")).contact.name, "Ada");
  await visitor.context.close();
});

test("a_token_that_proves_nothing_keeps_nobody_from_asking", async () => {
  const visitor = await Visitor.on(browser, world);
  await visitor.page.evaluate(() => HelpBot.identify({ token: "not.a.token" }));
  await visitor.open();

  await visitor.ask("A question with a bad token?");

  const found = await until(async () => {
    const one = await sessionOf("A question with a bad token?");
    return one?.pageUrl && one;
  });
  assert.equal(found.contact, null);
  await visitor.context.close();
});

test("an_owner_creates_and_deletes_an_identity_secret", async () => {
  for (const { id } of (await run("{ site { identitySecrets { id } } }")).site.identitySecrets) await run("mutation($id: ID!) { deleteIdentitySecret(input: {id: $id}) { deletedId } }", { id });
  secret = undefined;
  const agent = await Agent.on(browser, world);
  await agent.page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "API keys" }).click();

  await agent.page.getByRole("button", { name: "New identity secret" }).click();
  await agent.page.getByText(/^ids_[\w-]{43}$/).waitFor();
  await agent.page.getByRole("button", { name: "Done" }).click();
  await agent.page.getByRole("button", { name: /^Delete …/ }).click();
  await agent.page.getByRole("group").getByRole("button", { name: "Delete", exact: true }).click();

  await until(async () => (await run("{ site { identitySecrets { id } } }")).site.identitySecrets.length === 0);
  await agent.context.close();
});
