// Checks that the link below an answer opens the page at the sentence that answered.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";
import { HostedWidget, addPage, tagOf } from "./hosted.mjs";
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

const FILLER = Array.from({ length: 30 }, (_, n) => `<p style="height: 120px">Coats and hats, part ${n}.</p>`).join("");

/** Whether the element is inside of the window, on a page that is scrolled. */
const isInView = (page, selector) => page.evaluate((found) => {
  const element = document.querySelector(found);
  if (!element) return false;
  const { top, bottom } = element.getBoundingClientRect();
  return window.scrollY > 0 && top >= 0 && bottom <= window.innerHeight;
}, selector);

test("the_link_of_an_answer_opens_the_page_at_the_sentence", async () => {
  const url = addPage(world, `<h1>Care</h1>${FILLER}<h2>How do I wash a wool coat?</h2>
    <p>Wool likes fresh air.</p>${FILLER}<p id="sentence">Wash a wool coat <strong>by hand</strong>, in water of 20&ndash;30&deg;, &amp; not often.</p>${FILLER}`);
  await graphql(world.origin, world.ownerKey, "mutation($url: String!) { addSource(input: {url: $url}) { userErrors { message } } }", { url });
  await until(async () => {
    const { site } = await graphql(world.origin, world.ownerKey, "{ site { sources(first: 9) { nodes { url status } } } }");
    return site.sources.nodes.some((source) => source.url === url && source.status === "INDEXED");
  }, 30_000);
  const question = "How do I wash a wool coat by hand in water?";
  // While a slow machine builds the new index, the previous one answers.
  await until(async () => {
    const asked = await graphql(world.origin, world.ownerKey,
      "mutation($question: String!) { askQuestion(input: {question: $question}) { conversation { citations { url } } } }", { question });
    return asked.askQuestion.conversation.citations.some((citation) => citation.url === url);
  });
  const widget = await HostedWidget.on(browser, addPage(world, `<h1>Shop</h1>${tagOf(world)}`));
  await widget.open();
  await widget.ask(question);
  await widget.answer();

  const link = widget.log.locator(".links a").first();
  const [opened] = await Promise.all([widget.page.context().waitForEvent("page"), link.click()]);
  await opened.waitForLoadState();

  assert.match(await link.getAttribute("href"), /#:~:text=/);
  await until(() => isInView(opened, "#sentence"));
});
