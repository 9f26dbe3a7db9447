// Checks the page Protection: how long data is kept, and the erasure of everything about one visitor.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, violations } from "./browser.mjs";
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

const run = (query, variables, key = world.ownerKey) => graphql(world.origin, key, query, variables);
const open = () => Agent.on(browser, { ...world, secretKey: world.ownerKey }, "visitors");

test("the_owner_sets_how_long_data_is_kept", async () => {
  const agent = await open();
  const page = agent.page;

  await page.getByLabel("Conversations", { exact: true }).fill("365");
  await page.getByLabel("Events").fill("30");
  assert.deepEqual(await violations(page), []);
  await page.locator("form", { hasText: "How long data is kept" }).getByRole("button", { name: "Save" }).click();
  await page.getByText("Now deleted after 30 days.").first().waitFor();

  const { site } = await run("{ site { dataRetention { conversationDays eventDays deliveryDays } } }");
  assert.deepEqual(site.dataRetention, { conversationDays: 365, eventDays: 30, deliveryDays: null });
  assert.deepEqual(agent.faults, []);
  await agent.context.close();
});

test("the_owner_erases_everything_about_a_visitor", async () => {
  const email = "gone@visitor.example";
  const { askQuestion } = await run('mutation { askQuestion(input: {question: "Zeppelins over Lund?"}) { conversation { id } } }', {}, world.widgetKey);
  const { id } = askQuestion.conversation;
  await run("mutation($id: ID!, $email: String) { requestHandoff(input: {conversationId: $id, customerEmail: $email}) { userErrors { message } } }", { id, email });
  const agent = await open();

  await agent.page.getByLabel("E-mail address of the visitor").fill(email);
  await agent.page.getByRole("button", { name: "Erase" }).click();
  await agent.page.getByText(`Everything about ${email} will be erased.`).waitFor();
  assert.notEqual((await run("query($id: ID!) { node(id: $id) { id } }", { id })).node, null, "it can still be undone");
  await agent.page.getByText(`1 conversation of ${email} erased.`).waitFor();

  await until(async () => (await run("query($id: ID!) { node(id: $id) { id } }", { id })).node === null);
  assert.deepEqual(agent.faults, []);
  await agent.context.close();
});
