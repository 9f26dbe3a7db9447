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

/** What the page knows about its visitor, for example from a signed-in account. The server checks only the token. */
export interface Identity {
  /** The identity token that the site's own server signed. It makes the session one of the contact that it names. */
  token?: string;
  /** Filled into the forms that ask for an e-mail address. */
  email?: string;
}

/** The details of each event that the page can listen to. */
export interface PageEvents {
  open: null;
  close: null;
  answer: { text: string; isAnswered: boolean; conversationId: string };
  message: { name: string | null; text: string };
  handoff: { conversationId: string };
}

/** `window.HelpBot`, with which the page controls the widget. Each promise ends when the panel has done it. */
export interface PageApi {
  open(): Promise<void>;
  close(): Promise<void>;
  /** Opens the panel and asks a question as if the visitor had typed it. */
  ask(question: string): Promise<void>;
  /** Says who the visitor is. `null` when they signed out. */
  identify(who: Identity | null): void;
  on<K extends keyof PageEvents>(event: K, listener: (detail: PageEvents[K]) => void): void;
  off<K extends keyof PageEvents>(event: K, listener: (detail: PageEvents[K]) => void): void;
}

declare global {
  // The identity is a property of the object, because the panel is loaded later.
  var HelpBot: (PageApi & { who?: Identity | null }) | undefined;
}

/** What the loader does with the panel. */
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
