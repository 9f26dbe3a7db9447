// The interface between the loader and the panel, which the loader fetches when the visitor first shows interest.

import type { WidgetConfig } from "./config";

export interface Shell {
  host: HTMLElement;
  root: ShadowRoot;
  /** Null when the panel fills its container, as on /embed. */
  launcher: HTMLButtonElement | null;
  config: WidgetConfig;
  apiKey: string;
  /** The URL of the server, without a trailing slash. */
  base: string;
}

/** What the page can do with the widget through `window.HelpBot`. */
export interface Panel {
  open(): void;
  close(): void;
  toggle(): void;
  /** Opens the panel and asks a question as if the visitor had typed it. */
  ask(question: string): void;
  /** Ends all connections and removes the panel, because the element left the page. */
  destroy(): void;
}

/** The export of the panel's module. */
export type Mount = (shell: Shell) => Promise<Panel>;

/** The name under which the state of the chat is stored. Each key has its own. */
export function storageKey(apiKey: string): string {
  return `helpbot:${apiKey.slice(-12)}`;
}
