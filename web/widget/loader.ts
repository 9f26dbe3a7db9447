// `widget.js`, the script on the pages of a customer: it draws the launcher and fetches the panel when it is needed.
//
// It is a guest on these pages: it must stay below 2.5 KB (gzip), cause no layout shift, set no cookie and throw no
// error. The element is a child of <html>, so neither the styles for the children of the body nor a replaced body
// reach it. `<helpbot-widget api-key="…">` can also be written by hand. With `inline` it fills its container.

import { applyConfig, type WidgetConfig } from "./config";
import { type Mount, type Panel, storageKey } from "./shell";

declare const PANEL_FILE: string;

const script = document.currentScript as HTMLScriptElement | null ?? document.querySelector<HTMLScriptElement>('script[data-api-key][src*="widget.js"]');
const base = new URL(".", script?.src || location.href).href.replace(/\/$/, "");

/** Important rules inside a shadow root win against all rules of the page. */
const STYLE = `:host{all:initial!important;position:fixed!important;z-index:2147483000!important;bottom:20px!important;right:20px!important;font:15px/1.5 system-ui,sans-serif!important}
:host([data-position=bottom-left]){right:auto!important;left:20px!important}
:host([inline]){position:static!important;display:block!important;height:100%!important}
@media print{:host{display:none!important}}
.launch{all:unset;display:grid;place-items:center;width:56px;height:56px;border-radius:50%;cursor:pointer;background:var(--hb-primary);color:var(--hb-on-primary);box-shadow:0 4px 16px rgb(0 0 0/.25)}
.launch:focus-visible{outline:3px solid #fff;box-shadow:0 0 0 6px #000}
.launch:before{content:"";width:24px;height:24px;scale:1.08;background:currentColor;forced-color-adjust:none;clip-path:path("M12 3C6.5 3 2 6.7 2 11.2c0 2.4 1.3 4.6 3.4 6.1L4.6 21l4.3-1.9c1 .2 2 .4 3.1.4 5.5 0 10-3.7 10-8.3S17.5 3 12 3z")}
.fail:empty{display:none}
.fail{position:absolute;bottom:68px;right:0;width:240px;padding:10px 14px;border-radius:10px;background:#222;color:#fff}
:host([data-position=bottom-left]) .fail{left:0;right:auto}:host([inline]) .fail{position:static}`;

/** These events end here: the page must not react to what the visitor types or pastes, nor its dialogs take the focus back. */
const OWN_EVENTS = ["keydown", "keypress", "keyup", "focusin", "paste"];
const LAST_DELAY_MS = 30_000;
/** A request for the settings that takes longer is repeated. */
const SETTINGS_MS = 15_000;
/** Calls of the page wait for the widget, which is looked for this often. */
const LOOK_MS = 99;

const make = <K extends keyof HTMLElementTagNameMap>(name: K, className: string): HTMLElementTagNameMap[K] => Object.assign(document.createElement(name), { className });

function launcher(name: string): HTMLButtonElement {
  const button = make("button", "launch");
  button.type = "button";
  button.ariaLabel = name;
  button.ariaExpanded = "false";
  const badge = make("span", "badge");
  badge.ariaHidden = "true";
  button.append(badge);
  return button;
}

/** Whether an agent may be writing to this visitor. The panel then listens without being opened. */
function isListening(apiKey: string): boolean {
  try {
    return /"listen":true/.test(localStorage.getItem(storageKey(apiKey)) ?? "");
  } catch {
    return false;
  }
}

/**
 * Fetches the settings, with the texts in the language of the page or the browser. Repeats until they arrive whole, because what
 * responds can be a proxy or a sign-in page of the network. Ends when the server rejects the key or the element has left the page.
 */
async function settings(apiKey: string, isWanted: () => boolean): Promise<WidgetConfig | undefined> {
  for (let delay = 1000; isWanted(); delay = Math.min(delay * 2, LAST_DELAY_MS)) {
    try {
      const response = await fetch(`${base}/api/v1/config?language=${document.documentElement.lang || navigator.language}`, {
        headers: { Authorization: `Bearer ${apiKey}` }, credentials: "omit", signal: AbortSignal.timeout(SETTINGS_MS),
      });
      if (response.ok) return await response.json();
      if (/40[13]/.test(`${response.status}`)) return;
    } catch {
      // The server was not reached, or the response was incomplete.
    }
    await new Promise((resolve) => {
      setTimeout(resolve, delay * (0.75 + Math.random() / 2));
      addEventListener("online", resolve, { once: true });
    });
  }
}

/** Imports the panel. After an upgrade of the server its file has another name, which the current loader knows. */
async function importPanel(): Promise<Mount> {
  const load = (file: string) => import(`${base}/${file}`).then((module) => module.mount as Mount);
  return load(PANEL_FILE).catch(async () => {
    const loader = await (await fetch(`${base}/widget.js?fresh=${Date.now()}`, { cache: "reload", credentials: "omit" })).text();
    return load(`${/assets\/panel-[\w-]+\.js/.exec(loader)![0]}?again`);
  });
}

/** The floating widget. A page has at most one. */
let floating: HelpbotWidget | undefined;
/** The last widget that has started. */
let started: HelpbotWidget | undefined;

/** The panel of the floating widget, or else of another one. Waits while there is none, and while an element is being replaced. */
const panel = async (): Promise<Panel> => {
  await 0;
  return (floating ?? started)?.load?.() ?? new Promise((resolve) => setTimeout(() => resolve(panel()), LOOK_MS));
};

/** `window.HelpBot`, with which the page controls the widget. */
type Listener = ((detail: unknown) => void) & { heard?: (event: Event) => void };
const api = {
  on: (name: string, listener: Listener) => document.addEventListener(`helpbot:${name}`, listener.heard ??= (event) => listener((event as CustomEvent).detail)),
  off: (name: string, listener: Listener) => document.removeEventListener(`helpbot:${name}`, listener.heard!),
  identify: (who: unknown) => void (api.who = who),
} as Record<string, unknown>;
for (const name of ["open", "close", "ask"] as const) {
  api[name] = (...args: [string]) => panel().then((it) => it[name](...args));
}
(globalThis as { HelpBot?: unknown }).HelpBot ??= api;
document.dispatchEvent(new Event("helpbot:ready"));

class HelpbotWidget extends HTMLElement {
  static observedAttributes = ["api-key"];
  /** The body that the script added the element to. */
  body: HTMLElement | undefined;
  #started = "";
  #panel: Promise<Panel> | undefined;
  /** Loads the panel once the settings are there. */
  load: (() => Promise<Panel>) | undefined;

  get apiKey(): string {
    return this.getAttribute("api-key") ?? "";
  }

  set apiKey(key: string) {
    this.setAttribute("api-key", key);
  }

  connectedCallback(): void {
    // A property that was set before the element was defined hides the accessor.
    const { apiKey } = this;
    delete (this as { apiKey?: string }).apiKey;
    if (apiKey) this.apiKey = apiKey;
    this.begin();
  }

  attributeChangedCallback(): void {
    if (this.#started && this.#started !== this.apiKey) this.#end();
    this.begin();
  }

  disconnectedCallback(): void {
    // A move within the page disconnects and connects the element in one step.
    queueMicrotask(() => {
      if (this.isConnected) return;
      // The page replaced its whole content, the body included: the widget stays on the new page.
      if (this.body && this.body !== document.body) {
        this.body = document.body;
        return document.documentElement.append(this);
      }
      this.#end();
      for (const other of document.querySelectorAll<HelpbotWidget>("helpbot-widget")) other.begin?.();
    });
  }

  begin(): void {
    const key = this.apiKey;
    const isInline = this.hasAttribute("inline");
    if (!this.isConnected || !key || this.#started || (!isInline && floating)) return;
    this.#started = key;
    if (!isInline) floating = this;
    this.#start(key, isInline).catch(() => {});
  }

  #end(): void {
    if (floating === this) floating = undefined;
    this.#started = "";
    this.#panel?.then((panel) => panel.destroy(), () => {});
    this.load = this.#panel = undefined;
    this.shadowRoot?.replaceChildren();
  }

  async #start(apiKey: string, isInline: boolean): Promise<void> {
    const isWanted = () => this.#started === apiKey && this.isConnected;
    const config = await settings(apiKey, isWanted);
    if (!config || !isWanted()) return;
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    for (const type of OWN_EVENTS) root.addEventListener(type, stop);
    applyConfig(this, config);
    this.role = "region";
    this.ariaLabel = config.botName;
    const fail = make("div", "fail");
    fail.role = "alert";
    const button = isInline ? null : launcher(`Chat: ${config.botName}`);
    root.replaceChildren(...button ? [button, fail] : [fail]);

    const start = this.load = () => this.#panel ??= importPanel().then((mount) => {
      fail.textContent = "";
      return mount({ host: this, root, launcher: button, config, apiKey, base });
    }).catch((error) => {
      this.#panel = undefined;
      throw error;
    });
    const load = () => start().catch(() => {});
    const say = () => void (fail.textContent = navigator.onLine ? config.errorText : config.networkErrorText);
    button?.addEventListener("pointerenter", load);
    button?.addEventListener("click", () => start().then((it) => it.toggle(), say));
    started = this;
    if (isInline) await start().catch(say);
    else if (isListening(apiKey)) await load();
  }
}

const stop = (event: Event) => event.stopPropagation();
if (!customElements.get("helpbot-widget")) {
  customElements.define("helpbot-widget", HelpbotWidget);
}

const key = script?.dataset.apiKey;
if (key) {
  const isInline = script.dataset.inline !== undefined;
  const add = () => {
    // The script can run again, for example when the tag is in the page twice or the page is swapped.
    if (!isInline && document.querySelector("helpbot-widget:not([inline])")) return;
    const widget = document.createElement("helpbot-widget") as HelpbotWidget;
    widget.apiKey = key;
    for (const name of ["inline", "theme", "questions"]) if (name in script.dataset) widget.setAttribute(name, script.dataset[name]!);
    if (!isInline) widget.body = document.body;
    (isInline ? document.body : document.documentElement).append(widget);
  };
  if (document.body) add();
  else addEventListener("DOMContentLoaded", add);
}
