// Checks that a new owner gets from the first start to a widget that answers on their own pages by the screens alone.
//
// The owner has a site of seven pages and the key that the server printed. `ONBOARDING_SHOTS=DIR` stores a picture of each step.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, watchedPage } from "./browser.mjs";
import { HostedWidget } from "./hosted.mjs";
import { startServer } from "./server.mjs";
import { startShop } from "./shop.mjs";

const LINKS = '<nav><a href="/">Home</a> <a href="/opening">Opening hours</a> <a href="/delivery">Delivery</a> <a href="/returns">Returns</a> <a href="/classes">Classes</a> <a href="/care">Care</a> <a href="/about">About</a></nav>';
const article = (title, text) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title} · Pottery Lund</title></head><body>${LINKS}<main><h1>${title}</h1>${text}</main></body></html>`;
const SITE = {
  "/": article("Pottery Lund", "<p>We throw cups and bowls by hand in Lund, and teach how to do it.</p>"),
  "/opening": article("Opening hours", "<h2>When is the workshop open?</h2><p>The workshop is open from Tuesday to Saturday, from ten to six.</p>"),
  "/delivery": article("Delivery", "<h2>How long does delivery take?</h2><p>A parcel takes three working days within Sweden and eight days abroad.</p>"),
  "/returns": article("Returns", "<h2>Can I return a cup?</h2><p>Yes. You can return unused pieces within 45 days.</p>"),
  "/classes": article("Classes", "<h2>How many people are in a class?</h2><p>A class has at most six people, so that everybody gets a wheel.</p>"),
  "/care": article("Care", "<h2>Can the bowls go into the dishwasher?</h2><p>All glazed pieces are safe in the dishwasher.</p>"),
  "/about": article("About", "<p>Sigrid Lund founded the workshop in 1998.</p>"),
};

let browser;
let server;
let shop;
before(async () => {
  [server, browser, shop] = [await startServer({ HELPBOT_ALLOW_PRIVATE: "127.0.0.1" }), await launch(), await startShop(SITE)];
});
after(async () => {
  await browser?.close();
  shop?.stop();
  server?.stop();
});

test("a_new_owner_gets_an_answering_widget_on_their_own_page", async (t) => {
  const { page } = await watchedPage(browser, server.origin, { viewport: { width: 1280, height: 860 }, permissions: ["clipboard-read", "clipboard-write"] });
  let count = 0;
  const shot = async (of = page) => {
    if (process.env.ONBOARDING_SHOTS) await of.screenshot({ path: `${process.env.ONBOARDING_SHOTS}/${String(++count).padStart(2, "0")}.png` });
  };
  const began = Date.now();

  await page.goto(server.origin);
  await shot();
  await page.getByRole("link", { name: "Open the dashboard" }).click();
  await page.getByLabel("Key", { exact: true }).fill(server.secretKey);
  await page.getByRole("button", { name: "Sign in" }).click();
  const steps = page.getByRole("region", { name: "Getting started" });
  await steps.waitFor();
  await shot();

  await steps.getByRole("link", { name: "Add a source" }).click();
  await page.getByLabel("URL of a page or site").fill(shop.origin);
  assert.equal(await page.getByLabel("Scope").first().inputValue(), "SITE");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const source = page.getByRole("listitem").filter({ hasText: shop.origin });
  await source.getByText("7 pages").waitFor();
  await source.getByText("ready", { exact: true }).waitFor();
  await shot();

  await page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link", { name: "Overview" }).click();
  await steps.getByRole("link", { name: "Open the answer lab" }).click();
  await page.getByLabel("Question", { exact: true }).fill("Is the dishwasher okay for your bowls?");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("safe in the dishwasher").first().waitFor();
  await shot();

  await page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link", { name: "Overview" }).click();
  await steps.getByRole("button", { name: "Create the tag for this site" }).click();
  await steps.getByRole("button", { name: "Copy" }).click();
  await steps.getByRole("button", { name: "Copied" }).waitFor();
  await shot();
  const tag = await page.evaluate(() => navigator.clipboard.readText());
  for (const path of Object.keys(SITE)) shop.pages[path] = SITE[path].replace("</body>", `${tag}</body>`);

  const widget = await HostedWidget.on(browser, `${shop.origin}/classes`);
  await widget.open();
  await widget.ask("How many people take part in a class?");
  await widget.log.getByText("at most six people").first().waitFor();
  await shot(widget.page);
  await page.reload();
  await page.getByLabel("Key", { exact: true }).fill(server.secretKey);
  await page.getByRole("button", { name: "Sign in" }).click();
  await steps.getByText("3 of 4 done").waitFor();
  await shot();

  t.diagnostic(`from the first page to the first answer: ${((Date.now() - began) / 1000).toFixed(1)} s`);
});
