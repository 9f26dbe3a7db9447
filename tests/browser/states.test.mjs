// Checks that axe finds no violations and that the console stays empty in every state of the widget and the
// dashboard: in light and dark, in a wide window and at 360 px, where the page must not scroll sideways.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, violations } from "./browser.mjs";
import { faultsOf } from "./pages.mjs";
import { STATES, startWorld } from "./states.mjs";

/** Rules whose result depends on colors. */
const COLORS = ["color-contrast", "link-in-text-block"];
/** All rules run in both sizes. The other theme of each size changes only colors. */
const LOOKS = [[1280, 900, "light", null], [1280, 900, "dark", COLORS], [360, 740, "dark", null], [360, 740, "light", COLORS]];

let browser;
let world;
before(async () => {
  [world, browser] = [await startWorld(), await launch()];
});
after(async () => {
  await browser?.close();
  world?.stop();
});

test("axe_checks_the_shadow_root_of_the_widget", async (t) => {
  const { open, act } = STATES["widget-open"];
  const who = await open(browser, world);
  t.after(() => who.context.close());
  await act(who, world);

  await who.page.evaluate(() => document.querySelector("helpbot-widget").shadowRoot.querySelector("textarea").removeAttribute("aria-label"));
  await who.page.evaluate(() => document.querySelector("helpbot-widget").shadowRoot.querySelector("textarea").removeAttribute("placeholder"));

  assert.match((await violations(who.page)).join("\n"), /^label: .*textarea/m);
});

for (const [name, { open, act, mayLog, notOurs }] of Object.entries(STATES)) {
  test(`state_${name.replaceAll("-", "_")}_is_accessible`, async (t) => {
    const who = await open(browser, world);
    t.after(() => who.context.close());
    await act(who, world);

    const found = [];
    for (const [width, height, colorScheme, rules] of LOOKS) {
      await who.page.setViewportSize({ width, height });
      await who.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const look = `${width} ${colorScheme}: `;
      found.push(...(await violations(who.page, notOurs, rules)).map((violation) => look + violation));
      if (await who.page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)) found.push(`${look}scrolls sideways`);
    }

    assert.deepEqual(found, []);
    assert.deepEqual(faultsOf(who).filter((fault) => !mayLog?.test(fault)), []);
  });
}
