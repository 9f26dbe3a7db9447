// Checks that the widget is a good guest on pages of other sites, and they good hosts: settings that arrive damaged, dialogs that hold
// the focus, pages that change without a page load, visitors who sign out, long texts and older messages that are being read.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
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

const run = (query, variables) => graphql(world.origin, world.secretKey, query, variables);
const newest = async () => (await run("{ site { conversations(first: 1) { nodes { id session { pageUrl contact { name } } messages(last: 50) { nodes { text } } } } } }")).site.conversations.nodes[0];
const send = (id, text) => run("mutation($id: ID!, $t: String!) { sendMessage(input: {conversationId: $id, text: $t}) { userErrors { message } } }", { id, t: text });
const paste = ({ page }, text) => page.evaluate((words) => document.execCommand("insertText", false, words), text);

const ANYBODY = { "Access-Control-Allow-Origin": "*" };
const DAMAGED = {
  a_sign_in_page_of_the_network: (route) => route.fulfill({ contentType: "text/html", headers: ANYBODY, body: "<h1>Sign in</h1>" }),
  half_of_the_settings: (route) => route.fulfill({ contentType: "application/json", headers: ANYBODY, body: '{"primaryColor":"#2' }),
  an_error_of_a_proxy: (route) => route.fulfill({ status: 404, headers: ANYBODY, body: "404 page not found" }),
  no_response: () => {},
};
for (const [name, failure] of Object.entries(DAMAGED)) {
  test(`the_widget_starts_after: ${name}`, async (t) => {
    const context = await browser.newContext();
    t.after(() => context.close());
    let count = 0;
    await context.route("**/api/v1/config?*", (route) => (count++ ? route.continue() : failure(route)));

    const widget = await HostedWidget.on(context, addPage(world, tagOf(world)));

    await widget.launcher.waitFor();
    assert.equal(count, 2);
  });
}

test("the_page_can_open_an_element_that_was_just_made_anew", async () => {
  const widget = await HostedWidget.on(browser, addPage(world, `<div id="app"></div><script src="${world.origin}/widget.js"></script>`));
  const remake = () => widget.page.evaluate(async (key) => {
    document.querySelector("#app").innerHTML = `<helpbot-widget api-key="${key}"></helpbot-widget>`;
    await globalThis.HelpBot.open();
  }, world.widgetKey);

  await remake();
  await remake();

  await widget.box.waitFor();
});

test("a_dialog_of_the_page_does_not_take_the_focus_from_the_chat", async () => {
  const dialog = `<div role="dialog"><input id="name"></div><script>
    document.addEventListener("focusin", (event) => event.target.closest("[role=dialog]") || document.querySelector("#name").focus());</script>`;
  const widget = await HostedWidget.on(browser, addPage(world, dialog + tagOf(world)));
  await widget.page.locator("#name").focus();

  await widget.open();
  await widget.page.keyboard.type("Can I return a bag?");

  assert.equal(await widget.box.inputValue(), "Can I return a bag?");
  await widget.page.locator("#name").fill("Ada");
  assert.equal(await widget.page.locator("#name").inputValue(), "Ada");
});

test("the_page_does_not_scroll_behind_the_panel", async () => {
  const widget = await HostedWidget.on(browser, addPage(world, `<main style="height: 4000px">Shop</main>${tagOf(world)}`));
  await widget.open();
  await widget.page.evaluate(() => scrollTo(0, 500));

  for (const part of [".head", ".log", ".compose"]) {
    const { x, y, width, height } = await widget.root.locator(part).boundingBox();
    await widget.page.mouse.move(x + width / 2, y + height / 2);
    await widget.page.mouse.wheel(0, 300);
    await widget.page.waitForTimeout(300);

    assert.equal(await widget.page.evaluate(() => scrollY), 500, part);
  }
});

test("the_escape_that_cancels_a_composition_does_not_close_the_panel", async () => {
  const widget = await HostedWidget.on(browser, addPage(world, tagOf(world)));
  await widget.open();

  await widget.box.dispatchEvent("keydown", { key: "Escape", keyCode: 229, bubbles: true });

  assert.equal(await widget.box.isVisible(), true);
});

test("a_text_that_is_too_long_is_not_cut_and_not_sent", async () => {
  const widget = await HostedWidget.on(browser, addPage(world, tagOf(world)));
  await widget.open();
  const long = `${"word ".repeat(300)}end`;
  await widget.box.focus();

  await paste(widget, long);
  await widget.box.press("Enter");

  assert.equal(await widget.box.inputValue(), long);
  assert.equal(await widget.box.evaluate((box) => box.validationMessage), "1503 / 1000");
  await widget.box.fill("Can I return a bag?");
  await widget.box.press("Enter");
  await widget.answer();
  await widget.wantHuman();
  await widget.box.focus();
  await paste(widget, long);
  await widget.box.press("Enter");
  await until(async () => (await newest()).messages.nodes.some(({ text }) => text === long));
});

test("new_messages_leave_what_the_visitor_reads_in_place", async () => {
  const widget = await HostedWidget.on(browser, addPage(world, tagOf(world)));
  await widget.open();
  await widget.ask("Can I return a bag?");
  await widget.answer();
  await widget.wantHuman();
  const { id } = await newest();
  for (let i = 0; i < 15; i++) await send(id, `Line ${i} of the team`);
  await widget.has("Line 14 of the team");
  await widget.log.evaluate((log) => log.scrollTo(0, 20));

  await send(id, "The newest line");
  await widget.has("The newest line");
  await widget.page.waitForTimeout(200);
  assert.ok(await widget.log.evaluate((log) => log.scrollTop) < 100);
  await widget.ask("My own line");
  await widget.has("My own line");

  await until(() => widget.log.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 60));
});

test("a_page_that_changes_its_address_and_its_visitor_is_reported_and_a_sign_out_ends_the_chat", async () => {
  const { secret } = (await run("mutation { createIdentitySecret(input: {}) { secret } }")).createIdentitySecret;
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { sub: "77", name: "Grace Hopper", aud: (await run("{ site { id } }")).site.id, exp: Math.floor(Date.now() / 1000) + 600 };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  const token = `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  const widget = await HostedWidget.on(browser, addPage(world, tagOf(world)));
  await widget.open();
  await widget.ask("Can I return a bag?");
  await widget.answer();

  await widget.page.evaluate(() => history.pushState(null, "", "/checkout"));
  await until(async () => (await newest()).session.pageUrl.endsWith("/checkout"));
  await widget.page.evaluate((it) => globalThis.HelpBot.identify({ token: it }), token);
  await until(async () => (await newest()).session.contact?.name === "Grace Hopper");
  await until(async () => (await widget.stored(world.widgetKey)).isNamed);
  await widget.page.evaluate(() => globalThis.HelpBot.identify(null));

  await widget.log.locator(".msg.visitor").waitFor({ state: "detached" });
  await widget.ask("Is the canvas waterproof?");
  await widget.answer();
  await widget.page.waitForTimeout(1_500);
  assert.equal(await widget.log.locator(".msg.visitor").count(), 1);
});
