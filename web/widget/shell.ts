// What the loader hands to the panel when the visitor first shows interest.

import type { WidgetConfig } from "./config";

export interface Shell {
  host: HTMLElement;
  root: ShadowRoot;
  /** Null where the panel stands alone, as on /embed. */
  launcher: HTMLButtonElement | null;
  config: WidgetConfig;
  apiKey: string;
  /** Where the server is, without a trailing slash. */
  base: string;
}

export interface Panel {
  toggle(): void;
}

/** What the panel's module exports. */
export type Mount = (shell: Shell) => Panel;

/** Where a visitor's session is kept; one for each key, since one page may show two sites. */
export function storageKey(apiKey: string): string {
  return `helpbot:${apiKey.slice(-12)}`;
}
