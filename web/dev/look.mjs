// Takes pictures of every page and state at three widths, light and dark, into `shots/`, and lists what axe
// and the console object to. `npm run build && npm run look [part of a name]`; look at the pictures.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { launch, violations, watchedPage } from "../../tests/browser/browser.mjs";
import { mockServer } from "./mock.mjs";
import { provoked, scenes } from "./scenes.mjs";

const SHOTS = fileURLToPath(new URL("../shots/", import.meta.url));
const WIDTHS = [[360, 740], [768, 1024], [1440, 900]];
const wanted = process.argv[2] ?? "";

mkdirSync(SHOTS, { recursive: true });
const browser = await launch();
let count = 0;
for (const [width, height] of WIDTHS) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, act] of Object.entries(scenes).filter(([n]) => n.includes(wanted))) {
      const { server, sockets } = mockServer();
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      const origin = `http://127.0.0.1:${server.address().port}`;
      const { context, page, faults } = await watchedPage(browser, origin.replace(/^http/, ""), { viewport: { width, height }, colorScheme });
      faults.length = 0;
      try {
        await act(page, origin);
        await page.screenshot({ path: `${SHOTS}${name}-${width}-${colorScheme}.png` });
        const isWide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
        if (isWide) faults.push("scrolls sideways");
        faults.push(...await violations(page));
      } catch (error) {
        faults.push(String(error).slice(0, 400));
      }
      for (const fault of new Set(faults.filter((f) => !/^request to (http|ws):\/\/127/.test(f) && !provoked[name]?.test(f)))) {
        console.log(`${name} ${width} ${colorScheme}: ${fault}`);
        count++;
      }
      await context.close();
      sockets.clients.forEach((socket) => socket.terminate());
      server.closeAllConnections();
      server.close();
    }
  }
}
await browser.close();
console.log(`${count} to mend`);
process.exitCode = count ? 1 : 0;
