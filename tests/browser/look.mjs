// `npm run look [part of a name]`: takes screenshots of every state at three widths, in light and dark, into
// `shots/`. `npm run look -- --docs DIR` takes the screenshots for the documentation.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { STATES, startWorld } from "./states.mjs";

const WIDTHS = [[360, 740], [768, 1024], [1440, 900]];
/** State, width, height and color scheme of each screenshot. */
const FOR_DOCS = [
  ["widget-answer", 1120, 720, "light"], ["widget-live", 390, 720, "dark"], ["inbox", 1120, 720, "light"], ["overview", 1120, 720, "light"],
  ["topics", 1120, 720, "dark"], ["sources", 1120, 720, "light"], ["lab", 1120, 720, "light"], ["widget", 1120, 720, "light"],
];
const [flag, directory] = process.argv.slice(2);
const isForDocs = flag === "--docs";
const shots = isForDocs ? `${directory}/` : fileURLToPath(new URL("./shots/", import.meta.url));

async function take(browser, world, name, width, height, colorScheme, path) {
  const { open, act } = STATES[name];
  const who = await open(browser, world, { viewport: { width, height }, colorScheme });
  await act(who, world);
  await who.page.screenshot({ path });
  await who.context.close();
}

mkdirSync(shots, { recursive: true });
const [world, browser] = [await startWorld(), await launch()];
const jobs = isForDocs
  ? FOR_DOCS.map(([name, ...look]) => [name, ...look, `${shots}${name}.png`])
  : Object.keys(STATES).filter((name) => name.includes(flag ?? "")).flatMap((name) => WIDTHS.flatMap(([width, height]) =>
    ["light", "dark"].map((scheme) => [name, width, height, scheme, `${shots}${name}-${width}-${scheme}.png`])));
try {
  for (const job of jobs) await take(browser, world, ...job).catch((error) => console.error(`${job[0]}: ${error.message}`));
} finally {
  await browser.close();
  world.stop();
}
