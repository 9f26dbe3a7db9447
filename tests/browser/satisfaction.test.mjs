// Checks satisfaction: the widget asks why an answer did not help and how the help of the team was, a conversation shows it, and the
// overview shows the parts of the analytics with a chart for everybody.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, violations } from "./browser.mjs";
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
const READ = `query($s: String!) { site { conversations(first: 1, filter: {search: $s}) { nodes {
  id feedback feedbackReason feedbackComment handoff { status rating ratingComment }
} } } }`;
const found = async (question) => (await run(READ, { s: question })).site.conversations.nodes[0];
const resolve = (id) => run("mutation($id: ID!) { resolveConversation(input: {conversationId: $id}) { userErrors { message } } }", { id });

test("a_visitor_says_why_an_answer_did_not_help_and_rates_the_help", async () => {
  const visitor = await Visitor.on(browser, world);
  await visitor.open();
  await visitor.ask("How long does delivery take to Bergen?");
  await visitor.log.getByRole("button", { name: "Not helpful" }).click();
  await visitor.log.getByRole("button", { name: "Outdated" }).click();
  await visitor.log.getByLabel("Would you like to add anything?").fill("It took five days.");
  assert.deepEqual(await violations(visitor.page), []);
  await visitor.log.getByRole("button", { name: "Send" }).click();
  await visitor.log.getByText("Thank you for your feedback.").waitFor();
  const voted = await found("How long does delivery take to Bergen?");
  assert.deepEqual([voted.feedback, voted.feedbackReason, voted.feedbackComment], ["UNHELPFUL", "OUTDATED", "It took five days."]);

  await visitor.wantHuman();
  await until(async () => (await found("How long does delivery take to Bergen?")).handoff);
  await resolve(voted.id);
  const group = visitor.log.getByRole("group", { name: "How was our help?" });
  await group.waitFor();
  assert.deepEqual(await violations(visitor.page), []);
  await visitor.log.getByLabel("Would you like to add anything?").fill("Friendly and fast.");
  await group.getByRole("button", { name: "5: very good" }).press("Enter");
  await visitor.log.getByRole("button", { name: "Send" }).press("Enter");
  await visitor.log.getByText("Thank you for your feedback.").waitFor();

  const rated = await found("How long does delivery take to Bergen?");
  assert.deepEqual(rated.handoff, { status: "RESOLVED", rating: 5, ratingComment: "Friendly and fast." });
  assert.deepEqual(visitor.faults, []);
  await visitor.context.close();
});

test("a_conversation_shows_reason_comment_rating_and_times", async () => {
  const agent = await Agent.on(browser, world, "conversations?q=Bergen%3F");
  await agent.page.getByText("How long does delivery take to Bergen?").first().click();
  const facts = agent.page.locator("details[open] .facts");
  for (const text of ["outdated", "It took five days.", "5 of 5", "Friendly and fast."]) await facts.getByText(text).waitFor();
  await facts.getByText("Resolved").waitFor();
  assert.deepEqual(await violations(agent.page), []);
  await agent.page.setViewportSize({ width: 1500, height: 900 });
  await agent.page.getByRole("link", { name: "Open in the inbox" }).click();
  const visit = agent.page.getByRole("region", { name: "Visit" });
  await visit.getByText("Friendly and fast.").waitFor();
  assert.deepEqual(await violations(agent.page), []);
  assert.deepEqual(agent.faults, []);
  await agent.context.close();
});

test("the_chart_of_the_overview_is_read_with_the_keyboard_and_as_a_table", async () => {
  const agent = await Agent.on(browser, world, "overview");
  await agent.page.locator(".chart canvas").waitFor();
  const reader = agent.page.getByRole("slider", { name: "Day of the chart" });
  const value = () => reader.getAttribute("aria-valuetext");
  await reader.focus();
  const today = await value();
  assert.match(today, /: \d+ answered, \d+ unanswered$/);
  await agent.page.locator(".tip").getByText(/unanswered question/).waitFor();
  assert.deepEqual(await violations(agent.page), []);
  await agent.page.keyboard.press("ArrowLeft");
  await until(async () => await value() !== today);
  assert.match(await value(), /: 0 answered, 0 unanswered$/);
  await agent.page.keyboard.press("End");
  await until(async () => await value() === today);
  await agent.page.keyboard.press("Escape");
  await until(async () => await agent.page.locator(".tip").count() === 0);
  // The pointer reads the same day.
  const box = await agent.page.locator(".chart").boundingBox();
  await agent.page.mouse.move(box.x + box.width - 30, box.y + 60);
  await agent.page.locator(".tip").getByText(/unanswered question/).waitFor();

  await agent.page.getByText("As a table").click();
  const table = agent.page.getByRole("region", { name: "Questions per day" });
  const [, answered, unanswered] = (await table.getByRole("row").nth(1).innerText()).split(/\s+/);
  assert.ok(today.endsWith(`: ${answered} answered, ${unanswered} unanswered`), `${today} and ${answered}, ${unanswered}`);
  for (const name of ["Why answers did not help", "Languages", "Sources of answers", "Handoffs"]) await agent.page.getByRole("heading", { name, exact: true }).waitFor();
  await agent.page.getByRole("region", { name: "Why answers did not help" }).getByText("outdated").waitFor();
  await agent.page.getByRole("region", { name: "Handoffs" }).getByText("5 of 5 (1 rating)").first().waitFor();
  assert.deepEqual(await violations(agent.page), []);
  assert.deepEqual(agent.faults, []);
  await agent.context.close();
});
