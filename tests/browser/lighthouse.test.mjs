// Runs Lighthouse on the demo page and on the dashboard before and after signing in. The scores for accessibility
// and best practices must reach the minimum. The performance score depends on the machine and takes most of the time. It
// is measured only with LIGHTHOUSE_PERFORMANCE=1, on a machine without other work.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch as launchChrome } from "chrome-launcher";
import lighthouse from "lighthouse";
import { connect } from "puppeteer-core";
import { FLAGS } from "./browser.mjs";
import { startWorld } from "./states.mjs";

const MINIMUM = 95;
const JUDGED = ["accessibility", "best-practices", ...process.env.LIGHTHOUSE_PERFORMANCE ? ["performance"] : []];

let world;
let chrome;
let browser;
before(async () => {
  world = await startWorld();
  chrome = await launchChrome({ chromePath: process.env.CHROMIUM ?? "/usr/bin/chromium", chromeFlags: FLAGS });
  browser = await connect({ browserURL: `http://127.0.0.1:${chrome.port}` });
});
after(async () => {
  await browser?.disconnect();
  chrome?.kill();
  world?.stop();
});

async function signIn(page) {
  await page.goto(`${world.origin}/dashboard`);
  await page.locator("input[type=password]").fill(world.secretKey);
  // The key is stored for the tab because Lighthouse loads the page again.
  await page.locator("input[type=checkbox]").click();
  await page.locator("form:has(input[type=password]) button[type=submit]").click();
  await page.waitForSelector("nav[aria-label=Pages]");
}

for (const [name, path, prepare] of [["demo", "/demo"], ["sign_in", "/dashboard"], ["dashboard", "/dashboard/overview", signIn]]) {
  test(`lighthouse_scores_of_the_${name}_page_reach_the_minimum`, async (t) => {
    const page = await browser.newPage();
    t.after(() => page.close());
    await prepare?.(page);

    const options = { port: chrome.port, disableStorageReset: true, onlyCategories: JUDGED, logLevel: "error" };
    const { lhr } = await lighthouse(world.origin + path, options, undefined, page);

    const scores = Object.fromEntries(Object.entries(lhr.categories).map(([id, { score }]) => [id, Math.round(score * 100)]));
    t.diagnostic(`${path}: ${JSON.stringify(scores)}`);
    const lost = Object.values(lhr.audits).filter(({ score, scoreDisplayMode }) => score !== null && score < 0.9 && scoreDisplayMode !== "informative");
    for (const id of JUDGED) assert.ok(scores[id] >= MINIMUM, `${id} ${scores[id]}: ${lost.map((audit) => `${audit.id} ${audit.displayValue ?? ""}`).join(", ")}`);
    assert.equal(new URL(lhr.finalDisplayedUrl).pathname, path);
  });
}
