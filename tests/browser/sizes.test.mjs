// Checks the gzipped sizes of the files that visitors and agents download, and how they are sent: files with
// hashed names as immutable, other files with an entity tag, pages with a policy that blocks inline scripts.

import assert from "node:assert/strict";
import { get } from "node:http";
import { after, before, test } from "node:test";
import { launch, watchedPage } from "./browser.mjs";
import { startServer } from "./server.mjs";

const KB = 1024;

let browser;
let server;
before(async () => {
  [server, browser] = [await startServer(), await launch()];
});
after(async () => {
  await browser?.close();
  server?.stop();
});

/** Requests `path` and returns `{status, headers, bytes}` of the response. */
const sent = (path, headers = { "Accept-Encoding": "gzip" }) => new Promise((resolve, reject) => {
  get(server.origin + path, { headers }, (response) => {
    let bytes = 0;
    response.on("data", (part) => (bytes += part.length)).on("end", () => resolve({ status: response.statusCode, headers: response.headers, bytes })).on("error", reject);
  }).on("error", reject);
});

/** The files that are loaded when `path` is opened, including the page itself, without API requests. */
async function filesOf(path, act = async () => {}) {
  const { page, context } = await watchedPage(browser, server.origin);
  const files = new Set();
  page.on("request", (request) => files.add(new URL(request.url()).pathname));
  await page.goto(server.origin + path);
  await act(page);
  await page.waitForLoadState("networkidle");
  await context.close();
  return [...files].filter((file) => !file.startsWith("/api/") && !file.startsWith("/graphql"));
}

const sum = async (files) => (await Promise.all(files.map((file) => sent(file)))).reduce((total, { bytes }) => total + bytes, 0);

test("loader_panel_and_dashboard_stay_within_their_size_limits", async (t) => {
  const demo = await filesOf("/demo", (page) => page.getByRole("button", { name: /chat/i }).click());
  const panel = demo.find((file) => file.includes("/panel-"));
  const sizes = { "/widget.js": [(await sent("/widget.js")).bytes, 2.5], [panel]: [(await sent(panel)).bytes, 18], "/dashboard": [await sum(await filesOf("/dashboard")), 130] };

  for (const [name, [bytes, limit]] of Object.entries(sizes)) {
    t.diagnostic(`${name}: ${(bytes / KB).toFixed(2)} KB of ${limit}`);
    assert.ok(bytes > 0 && bytes <= limit * KB, `${name} has ${bytes} bytes`);
  }
});

test("files_are_compressed_immutable_and_revalidated_by_entity_tag", async () => {
  const [script] = (await filesOf("/dashboard")).filter((file) => file.endsWith(".js"));

  const { headers } = await sent(script, { "Accept-Encoding": "gzip, br" });
  const known = await sent(script, { "If-None-Match": headers.etag });

  assert.equal(headers["content-encoding"], "br");
  assert.match(headers["cache-control"], /immutable/);
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(known.status, 304);
});

test("every_page_blocks_inline_scripts_and_styles", async () => {
  for (const path of ["/demo", "/embed", "/dashboard", "/dashboard/inbox", "/graphiql"]) {
    const { headers } = await sent(path);
    assert.match(headers["content-security-policy"], /script-src 'self'; style-src 'self';/, path);
    assert.doesNotMatch(headers["content-security-policy"], /unsafe/, path);
    assert.equal(headers["x-content-type-options"], "nosniff", path);
  }
});
