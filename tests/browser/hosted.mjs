// Pages of another site with the widget on them, for tests of the loader and of the visitor's session.

import { until } from "./server.mjs";

const page = (body, head = "") => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>${head}</head><body>${body}</body></html>`;

/** The tag that customers put on their pages. */
export const tagOf = ({ origin, widgetKey }) => `<script src="${origin}/widget.js" data-api-key="${widgetKey}" async></script>`;

let pageCount = 0;

/** Adds a page to the shop of the world and returns its URL. */
export function addPage({ shop }, body, head) {
  const path = `/hosted/${pageCount++}`;
  shop.pages[path] = page(body, head);
  return shop.origin + path;
}

/** The widget on a page, operated as a visitor does. */
export class HostedWidget {
  constructor(page) {
    this.page = page;
    this.root = page.locator("helpbot-widget");
    this.launcher = this.root.locator("button.launch");
    this.log = this.root.getByRole("log");
    this.box = this.root.locator(".compose textarea");
  }

  /** Opens `url` in a new tab of the context, or in a new context. */
  static async on(browserOrContext, url) {
    const context = browserOrContext.newContext ? await browserOrContext.newContext({ reducedMotion: "reduce" }) : browserOrContext;
    const page = await context.newPage();
    await page.goto(url);
    return new HostedWidget(page);
  }

  async open() {
    await this.launcher.click();
    await this.box.waitFor();
  }

  async ask(text) {
    await this.box.fill(text);
    await this.box.press("Enter");
  }

  /** Waits for the answer with this number, counted from 1. */
  answer(number = 1) {
    return this.log.locator(".msg.bot .row").nth(number - 1).waitFor();
  }

  async wantHuman() {
    await this.log.getByRole("button", { name: "Talk to a human" }).last().click();
    await this.log.getByRole("button", { name: "Skip" }).click();
    await this.log.getByText("Our team has been notified").last().waitFor();
  }

  async has(text) {
    await this.log.getByText(text, { exact: true }).last().waitFor();
  }

  /** The state that the widget has stored in this browser. */
  stored(key) {
    return this.page.evaluate((name) => JSON.parse(localStorage.getItem(name)), storageName(key));
  }

  sockets() {
    const open = new Set();
    this.page.on("websocket", (socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
    });
    return open;
  }
}

export const storageName = (widgetKey) => `helpbot:${widgetKey.slice(-12)}`;

/** Waits until the number of open sockets is `count` and stays so for a moment. */
export async function settled(open, count) {
  await until(() => open.size === count);
  await new Promise((resolve) => setTimeout(resolve, 500));
  return open.size;
}
