// Starts headless Chromium through playwright-core and runs axe. All browser tests use this file.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

/** The timeout of one step. It is long because other work can run on the same machine. */
const STEP_MS = 30_000;
export const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const launch = (flags = []) => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: [...FLAGS, ...flags] });

/** Opens a page and collects console errors, exceptions and requests to other hosts. */
export async function watchedPage(browser, origin, options) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(STEP_MS);
  const faults = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith("data:")) faults.push(`request to ${request.url()}`);
  });
  return { context, page, faults };
}

/**
 * Runs all rules of axe, including best practices, and returns one line for each violation. The script is evaluated, so the page keeps its strict policy.
 * `notOurs` names, for each rule, the elements of third-party code that this project cannot change. `rules` names the rules to run instead of all.
 */
export async function violations(page, notOurs = {}, rules = null) {
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(AXE);
  const found = await page.evaluate(async ([foreign, only]) => {
    const { violations: all } = await globalThis.axe.run(document, only ? { runOnly: only } : {});
    const isForeign = (id, target) => foreign[id] && target.length === 1 && document.querySelector(target[0])?.matches(foreign[id]);
    return all.map(({ id, nodes }) => ({ id, nodes: nodes.filter(({ target }) => !isForeign(id, target)) }));
  }, [notOurs, rules]);
  return found.flatMap(({ id, nodes }) => nodes.map((n) => `${id}: ${n.target.join(" ")}: ${n.any.concat(n.all, n.none).map((c) => c.message).join("; ").slice(0, 160)}`));
}
