// `npm run look [pattern of names]`: takes screenshots of every state at three widths, in light and dark, into `shots/`. `npm run look -- --docs DIR` takes the screenshots for the documentation.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { STATES, startWorld } from "./states.mjs";

const WIDTHS = [[1440, 900], [1024, 768], [390, 844]];
const SCHEMES = ["light", "dark"];
/** State, width, height and color scheme of each screenshot. */
const FOR_DOCS = [
  ["widget-answer", 1120, 720, "light"], ["widget-live", 390, 720, "dark"], ["inbox", 1120, 720, "light"], ["overview", 1120, 720, "light"],
  ["topics", 1120, 720, "dark"], ["sources", 1120, 720, "light"], ["lab", 1120, 720, "light"], ["widget", 1120, 720, "light"],
];
const [flag, directory] = process.argv.slice(2);
const isForDocs = flag === "--docs";
const shots = isForDocs ? `${directory}/` : fileURLToPath(new URL("./shots/", import.meta.url));

/** Takes the screenshots of one state. The state is entered once, and the window changes for each `[width, height, scheme, path]`. */
async function take(browser, world, name, looks) {
  const { open, act } = STATES[name];
  const [[width, height, colorScheme]] = looks;
  const who = await open(browser, world, { viewport: { width, height }, colorScheme });
  try {
    await act(who, world);
    for (const [w, h, scheme, path] of looks) {
      await who.page.setViewportSize({ width: w, height: h });
      await who.page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      if (isForDocs) await who.page.evaluate(() => document.querySelectorAll("main, html").forEach((element) => element.scrollTo(0, 0)));
      await who.page.screenshot({ path });
    }
  } finally {
    await who.context.close();
  }
}

mkdirSync(shots, { recursive: true });
const [world, browser] = [await startWorld(), await launch()];
const pattern = new RegExp(flag ?? "");
const jobs = isForDocs
  ? FOR_DOCS.map(([name, ...look]) => [name, [[...look, `${shots}${name}.png`]]])
  : Object.keys(STATES).filter((name) => pattern.test(name)).map((name) => [name, WIDTHS.flatMap(([width, height]) =>
    SCHEMES.map((scheme) => [width, height, scheme, `${shots}${name}-${width}-${scheme}.png`]))]);
try {
  for (const job of jobs) await take(browser, world, ...job).catch((error) => console.error(`${job[0]}: ${error.message}`));
} finally {
  await browser.close();
  world.stop();
}
