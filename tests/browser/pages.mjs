// Page objects for tests: what a visitor does in the widget and what an agent does in the dashboard.

import { violations, watchedPage } from "./browser.mjs";
import { until } from "./server.mjs";

/** A visitor on a page with the widget, in a separate browser context. */
export class Visitor {
  static async on(browser, server, path = "/demo", options = {}) {
    const made = new Visitor();
    Object.assign(made, await watchedPage(browser, server.origin, { viewport: { width: 1280, height: 900 }, ...options }));
    await made.page.goto(server.origin + path);
    return made;
  }

  async open() {
    await this.page.getByRole("button", { name: /chat/i }).click();
    await this.page.getByRole("dialog").waitFor();
  }

  async ask(text) {
    await this.page.getByRole("dialog").getByRole("textbox").last().fill(text);
    await this.page.keyboard.press("Enter");
  }

  get log() {
    return this.page.getByRole("dialog").getByRole("log");
  }

  /** Asks for a human, with or without an e-mail address. */
  async wantHuman(email) {
    await this.log.getByRole("button", { name: "Talk to a human" }).last().click();
    if (email) await this.log.getByRole("textbox").fill(email);
    await this.log.getByRole("button", { name: email ? "Send" : "Skip", exact: true }).click();
    await this.log.getByText("Our team has been notified").waitFor();
  }
}

/** A signed-in agent in the dashboard. */
export class Agent {
  static async on(browser, server, name = "inbox", options = {}) {
    const made = new Agent();
    Object.assign(made, await watchedPage(browser, server.origin, { viewport: { width: 1280, height: 900 }, ...options }));
    await made.page.goto(`${server.origin}/dashboard/${name}`);
    await made.signIn(server);
    return made;
  }

  async signIn({ secretKey }) {
    await this.page.getByLabel("Key", { exact: true }).fill(secretKey);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await this.page.getByRole("navigation", { name: "Pages", exact: true }).waitFor();
  }

  async go(title) {
    await this.page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link", { name: title }).click();
    await this.page.getByRole("heading", { level: 1, name: title }).waitFor();
  }

  /** Waits until no part of the page is loading. */
  isLoaded() {
    return until(async () => await this.page.getByText("Loading…").count() === 0);
  }

  async isLive() {
    await this.page.getByText("Live", { exact: true }).waitFor();
  }

  /** Opens the conversation with this question in the inbox. */
  async read(question) {
    await this.page.getByRole("region", { name: "Conversations" }).getByRole("link", { name: question }).first().click();
    await this.thread.waitFor();
  }

  get thread() {
    return this.page.getByRole("log", { name: "Messages" });
  }

  async say(text) {
    await this.page.getByLabel("Your answer").fill(text);
    await this.page.getByRole("button", { name: "Send", exact: true }).click();
  }
}

/** Console errors and requests to other hosts, without the errors that a cut connection is expected to cause. */
export function faultsOf(who, { isCut = false } = {}) {
  return who.faults.filter((fault) => !(isCut && /ERR_(CONNECTION|EMPTY|INCOMPLETE|SOCKET)|WebSocket connection/.test(fault)));
}

export { violations };
