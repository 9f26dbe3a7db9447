// Checks the life of the loader on pages of other sites: it starts once, keeps its place, survives page swaps, failures
// and upgrades, and ends when its element is removed.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";
import { HostedWidget, addPage, settled, tagOf } from "./hosted.mjs";
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

const launchers = ({ page }) => page.locator("helpbot-widget button.launch").count();

test("several_tags_and_elements_start_one_widget", async () => {
  const element = `<helpbot-widget api-key="${world.widgetKey}"></helpbot-widget>`;
  const widget = await HostedWidget.on(browser, addPage(world, `<h1>Shop</h1>${tagOf(world)}${tagOf(world)}${element}`));

  await widget.launcher.first().waitFor();
  await widget.page.waitForLoadState("networkidle");

  assert.equal(await launchers(widget), 1);
});

test("the_next_element_starts_when_the_first_is_removed", async () => {
  const element = `<helpbot-widget api-key="${world.widgetKey}"></helpbot-widget>`;
  const widget = await HostedWidget.on(browser, addPage(world, `${element}${element}<script src="${world.origin}/widget.js"></script>`));
  await widget.launcher.first().waitFor();

  await widget.page.evaluate(() => document.querySelector("helpbot-widget").remove());

  await widget.launcher.waitFor();
  assert.equal(await launchers(widget), 1);
});

test("the_widget_outlives_a_replaced_body_with_its_connection", async () => {
  const widget = await HostedWidget.on(browser, addPage(world, "<h1>One</h1>", tagOf(world)));
  const open = widget.sockets();
  await widget.open();
  await widget.ask("Can I return a bag?");
  await widget.answer();

  for (const swap of ["replace", "inner", "replace"]) {
    await widget.page.evaluate(([how, source]) => {
      const html = `<h1>Next</h1>${source}`;
      if (how === "inner") {
        document.body.innerHTML = html;
        return;
      }
      const body = document.createElement("body");
      body.innerHTML = html;
      document.body.replaceWith(body);
    }, [swap, tagOf(world)]);
    await widget.box.waitFor();
  }

  assert.equal(await settled(open, 1), 1);
  assert.equal(await widget.log.getByText("Can I return a bag?").count(), 1);
});

test("the_widget_returns_when_the_whole_document_is_replaced", async () => {
  const widget = await HostedWidget.on(browser, addPage(world, "<h1>One</h1>", tagOf(world)));
  await widget.launcher.waitFor();

  await widget.page.evaluate(() => document.documentElement.replaceChildren(document.createElement("head"), document.createElement("body")));

  await widget.launcher.waitFor();
});

test("a_removed_element_closes_its_connection", async () => {
  const widget = await HostedWidget.on(browser, addPage(world, tagOf(world)));
  const open = widget.sockets();
  await widget.open();
  await widget.ask("Can I return a bag?");
  await widget.answer();
  await settled(open, 1);

  await widget.page.evaluate(() => document.querySelector("helpbot-widget").remove());

  assert.equal(await settled(open, 0), 0);
});

test("a_key_that_is_set_later_starts_the_widget", async () => {
  const url = addPage(world, `<script src="${world.origin}/widget.js"></script>`);
  for (const set of ["attribute", "property", "before"]) {
    const widget = await HostedWidget.on(browser, url);
    await widget.page.evaluate(([how, key]) => {
      const element = document.createElement("helpbot-widget");
      if (how === "before") element.setAttribute("api-key", key);
      document.body.append(element);
      if (how === "attribute") element.setAttribute("api-key", key);
      if (how === "property") element.apiKey = key;
    }, [set, world.widgetKey]);

    await widget.launcher.waitFor();
  }
});

test("failed_settings_are_requested_again", async () => {
  const url = addPage(world, tagOf(world));
  for (const failure of [(route) => route.fulfill({ status: 503, headers: { "Access-Control-Allow-Origin": "*" } }), (route) => route.abort()]) {
    const context = await browser.newContext();
    let count = 0;
    await context.route("**/api/v1/config?*", (route) => (count++ < 2 ? failure(route) : route.continue()));

    const page = await context.newPage();
    await page.clock.install();
    await page.goto(url);
    // The pauses between the requests grow with each failure.
    await until(async () => {
      await page.clock.fastForward(500);
      return count === 3;
    });

    await new HostedWidget(page).launcher.waitFor();
    assert.equal(count, 3);
  }
});

test("an_old_loader_finds_the_panel_of_a_new_server", async () => {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const current = await (await fetch(`${world.origin}/widget.js`)).text();
  const old = current.replace(/panel-[\w-]+\.js/, "panel-OUTDATED.js");
  await context.route(/widget\.js$/, (route) => route.fulfill({ body: old, contentType: "text/javascript", headers: { "Access-Control-Allow-Origin": "*" } }));
  const widget = await HostedWidget.on(context, addPage(world, tagOf(world)));

  await widget.open();
  await widget.ask("Can I return a bag?");

  await widget.answer();
});

test("a_panel_that_cannot_be_loaded_is_reported_and_loads_later", async () => {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  let isBroken = true;
  await context.route(/panel-|fresh=/, (route) => (isBroken ? route.abort() : route.continue()));
  const widget = await HostedWidget.on(context, addPage(world, tagOf(world)));
  await widget.launcher.click();
  await widget.root.getByRole("alert").getByText("Something went wrong").waitFor();

  isBroken = false;
  await widget.open();

  assert.equal(await widget.root.locator(".fail").innerText(), "");
});

const STYLES = [
  "body > * { position: relative; width: 100% }", "html > * { position: static; margin: 200px; transform: scale(.5) }", "* { position: static !important; float: left !important; margin: 40px !important }",
  "html { font-size: 62.5% } * { font-size: 3px !important; line-height: 9 !important; color: red !important }", "helpbot-widget { display: none; left: 0; bottom: 400px }", ":not(script):not(style) { max-width: 10px; overflow: hidden; opacity: .2 }",
];
for (const style of STYLES) {
  test(`the_launcher_keeps_its_place_under: ${style.slice(0, 60)}`, async (t) => {
    const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, reducedMotion: "reduce" });
    t.after(() => context.close());
    const plain = await HostedWidget.on(context, addPage(world, `<main style="height:1800px">Shop</main>${tagOf(world)}`));
    const styled = await HostedWidget.on(context, addPage(world, `<main style="height:1800px">Shop</main>${tagOf(world)}`, `<style>${style}</style>`));
    await plain.open();

    await styled.open();

    for (const part of ["button.launch", ".panel"]) assert.deepEqual(await styled.root.locator(part).boundingBox(), await plain.root.locator(part).boundingBox(), part);
    assert.equal(await styled.page.evaluate(() => getComputedStyle(document.querySelector("helpbot-widget")).opacity), "1");
  });
}

test("keys_typed_into_the_widget_do_not_reach_the_page", async () => {
  const listener = `<script>globalThis.keys = []; for (const type of ["keydown", "keypress", "keyup"]) for (const target of [document, window, document.documentElement])
    target.addEventListener(type, (event) => keys.push(event.key));</script>`;
  const widget = await HostedWidget.on(browser, addPage(world, `<input id="search">${listener}${tagOf(world)}`));
  await widget.open();
  await widget.page.evaluate(() => void (globalThis.keys.length = 0));

  await widget.box.pressSequentially("/s?k and Escape");
  await widget.page.keyboard.press("Escape");

  await widget.box.waitFor({ state: "hidden" });
  assert.deepEqual(await widget.page.evaluate(() => globalThis.keys), []);
});

test("the_widget_is_not_printed", async () => {
  const widget = await HostedWidget.on(browser, addPage(world, tagOf(world)));
  await widget.open();

  await widget.page.emulateMedia({ media: "print" });

  assert.equal(await widget.root.isVisible(), false);
  assert.equal(await widget.launcher.isVisible(), false);
});

test("the_page_controls_the_widget_and_listens_to_it", async () => {
  const script = `<script>globalThis.heard = [];
    addEventListener("load", () => { for (const name of ["open", "close", "answer", "message", "handoff"]) HelpBot.on(name, (detail) => heard.push([name, detail])); });</script>`;
  const widget = await HostedWidget.on(browser, addPage(world, `${script}${tagOf(world)}`));

  await widget.page.evaluate(() => globalThis.HelpBot.ask("Can I return a bag?"));
  await widget.answer();
  await widget.page.evaluate(() => globalThis.HelpBot.close());
  await widget.box.waitFor({ state: "hidden" });
  await widget.page.evaluate(() => globalThis.HelpBot.open());
  await widget.box.waitFor();

  const heard = await widget.page.evaluate(() => globalThis.heard);
  assert.deepEqual(heard.map(([name]) => name), ["open", "answer", "close", "open"]);
  assert.match(heard[1][1].text, /within 30 days/);
  assert.equal(heard[1][1].isAnswered, true);
});

test("the_page_names_its_visitor_and_stops_listening", async () => {
  const script = `<script>globalThis.heard = []; globalThis.note = () => heard.push("open");
    document.addEventListener("helpbot:ready", () => { HelpBot.identify({ email: "ada@example.org" }); HelpBot.on("open", note); });</script>`;
  const widget = await HostedWidget.on(browser, addPage(world, `${script}${tagOf(world)}`));
  await widget.open();
  await widget.ask("Can I return a bag?");
  await widget.answer();

  await widget.page.evaluate(() => globalThis.HelpBot.off("open", globalThis.note));
  await widget.page.evaluate(async () => {
    await globalThis.HelpBot.close();
    await globalThis.HelpBot.open();
  });
  await widget.log.getByRole("button", { name: "Talk to a human" }).click();

  assert.equal(await widget.log.locator(".mail input").inputValue(), "ada@example.org");
  assert.deepEqual(await widget.page.evaluate(() => globalThis.heard), ["open"]);
});

test("messages_show_their_time_in_the_language_of_the_visitor", async (t) => {
  const context = await browser.newContext({ reducedMotion: "reduce", locale: "de-DE" });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(addPage(world, `<script>document.documentElement.lang = "de"</script>${tagOf(world)}`));
  const widget = new HostedWidget(page);
  await widget.open();
  await widget.ask("Can I return a bag?");
  await widget.answer();
  const time = widget.log.locator(".msg.visitor time");
  assert.equal(await time.innerText(), "jetzt");

  await page.clock.runFor("00:05:30");

  assert.match(await time.innerText(), /^vor [56] Min/);
  assert.match(await time.getAttribute("title"), /^\d+\.\d+\.\d{4}, /);
});

test("a_wide_table_in_an_answer_scrolls_in_its_frame", async (t) => {
  const context = await browser.newContext({ viewport: { width: 360, height: 700 }, reducedMotion: "reduce" });
  t.after(() => context.close());
  const widget = await HostedWidget.on(context, addPage(world, tagOf(world)));
  const row = (cell) => `| ${Array.from({ length: 12 }, (_, i) => `${cell} ${i}`).join(" | ")} |`;
  const { addFaqEntry } = await graphql(world.origin, world.ownerKey, "mutation($i: AddFaqEntryInput!) { addFaqEntry(input: $i) { entry { id } userErrors { message } } }",
    { i: { question: "Which sizes does the zeppelin bag have?", answer: `All sizes:\n\n${row("Size")}\n|${" --- |".repeat(12)}\n${row("Liters")}` } });
  assert.ok(addFaqEntry.entry.id);
  // The entry answers as soon as it is in the index.
  await until(async () => {
    const { askQuestion } = await graphql(world.origin, world.ownerKey, `mutation { askQuestion(input: {question: "Which sizes does the zeppelin bag have?"}) { conversation { answer } userErrors { message } } }`);
    return askQuestion.conversation.answer.includes("Liters");
  });
  await widget.open();
  await widget.ask("Which sizes does the zeppelin bag have?");
  await widget.answer();

  const frame = widget.log.locator(".table");
  assert.equal(await frame.locator("th").count(), 12);
  assert.ok(await frame.evaluate((node) => node.scrollWidth > node.clientWidth));
  assert.ok(await widget.log.evaluate((node) => node.scrollWidth <= node.clientWidth));
});

test("the_panel_is_usable_at_a_zoom_of_400_percent", async (t) => {
  const context = await browser.newContext({ viewport: { width: 320, height: 225 }, deviceScaleFactor: 4, reducedMotion: "reduce" });
  t.after(() => context.close());
  const widget = await HostedWidget.on(context, addPage(world, `<a href="#x">A link</a>${tagOf(world)}`));
  await widget.open();

  for (const part of [widget.box, widget.root.getByRole("button", { name: "Close chat" }), widget.root.getByRole("button", { name: "Send" })]) {
    const { x, y, width, height } = await part.boundingBox();
    assert.ok(x >= 0 && y >= 0 && x + width <= 320 && y + height <= 225, JSON.stringify({ x, y, width, height }));
  }
  assert.ok((await widget.log.boundingBox()).height >= 60);
});

test("starter_questions_are_asked_with_one_click", async () => {
  const tag = tagOf(world).replace(" async", ' data-questions="Can I return a bag? | Is the canvas waterproof?" async');
  const widget = await HostedWidget.on(browser, addPage(world, tag));
  await widget.open();

  await widget.log.getByRole("button", { name: "Can I return a bag?" }).click();
  await widget.answer();

  assert.equal(await widget.log.getByRole("button", { name: "Is the canvas waterproof?" }).isVisible(), false);
});

test("the_starter_questions_of_the_site_are_asked_with_one_click", async () => {
  const set = (questions) => graphql(world.origin, world.secretKey, "mutation($q: [String!]!) { updateWidgetConfig(input: {starterQuestions: $q}) { userErrors { message } } }", { q: questions });
  await set(["Can I return a bag?", "Is the canvas waterproof?"]);
  const widget = await HostedWidget.on(browser, addPage(world, tagOf(world)));
  await widget.open();

  await widget.log.getByRole("button", { name: "Can I return a bag?" }).click();
  await widget.answer();

  assert.equal(await widget.log.getByRole("button", { name: "Is the canvas waterproof?" }).isVisible(), false);
  await set([]);
});

test("the_dark_theme_follows_the_page_or_the_system", async () => {
  const tag = (theme) => tagOf(world).replace(" async", ` data-theme="${theme}" async`);
  const background = async (theme, colorScheme) => {
    const widget = await HostedWidget.on(browser, addPage(world, tag(theme)));
    await widget.page.emulateMedia({ colorScheme });
    await widget.open();
    return widget.root.locator(".panel").evaluate((panel) => getComputedStyle(panel).backgroundColor);
  };

  const dark = await background("dark", "light");
  assert.notEqual(dark, await background("light", "dark"));
  assert.equal(await background("auto", "dark"), dark);
  assert.notEqual(await background("auto", "light"), dark);
});

test("the_page_behind_a_full_screen_panel_is_inert", async (t) => {
  const context = await browser.newContext({ viewport: { width: 360, height: 700 }, reducedMotion: "reduce" });
  t.after(() => context.close());
  const widget = await HostedWidget.on(context, addPage(world, `<a href="#x">A link</a>${tagOf(world)}`));
  await widget.open();
  assert.equal(await widget.page.evaluate(() => document.body.inert), true);

  await widget.page.setViewportSize({ width: 1000, height: 700 });
  await widget.page.waitForFunction(() => !document.body.inert);
  await widget.page.setViewportSize({ width: 700, height: 360 });
  assert.deepEqual(await widget.root.locator(".panel").boundingBox(), { x: 0, y: 0, width: 700, height: 360 });
  await widget.page.waitForFunction(() => document.body.inert);
  await widget.page.keyboard.press("Escape");

  assert.equal(await widget.page.evaluate(() => document.body.inert), false);
});
