// `widget.js`, the one tag on a customer's page: draws the launcher and fetches the panel when it is wanted.
//
// It must stay under 2 KB gzipped, add no layout shift, set no cookie and throw nothing into the page it is
// a guest on. `<helpbot-widget api-key="…">` may also be written by hand; `inline` fills its container.

import { applyConfig, type WidgetConfig } from "./config";
import { type Mount, type Panel, storageKey } from "./shell";

declare const PANEL_FILE: string;

const script = document.currentScript as HTMLScriptElement | null;
const base = new URL(".", script?.src || location.href).href.replace(/\/$/, "");

const STYLE = `:host{all:initial;position:fixed;z-index:2147483000;bottom:20px;right:20px;font:16px/1.5 system-ui,sans-serif}
:host([data-position=bottom-left]){right:auto;left:20px}
:host([inline]){position:static;display:block;height:100%}
.launch{all:unset;box-sizing:border-box;display:grid;place-items:center;width:56px;height:56px;border-radius:50%;cursor:pointer;
background:var(--hb-primary);color:var(--hb-on-primary);box-shadow:0 4px 16px rgb(0 0 0/.25)}
.launch:focus-visible{outline:3px solid #fff;box-shadow:0 0 0 6px #000}
.launch svg{width:26px;height:26px}
.badge{position:absolute;top:-4px;inset-inline-end:-4px;min-width:22px;padding:0 6px;box-sizing:border-box;border-radius:11px;
background:#b91c1c;color:#fff;font:600 13px/22px system-ui,sans-serif;text-align:center}
.badge:empty{display:none}`;

const SVG = "http://www.w3.org/2000/svg";

function launcher(name: string): HTMLButtonElement {
  const button = document.createElement("button");
  button.className = "launch";
  button.type = "button";
  button.setAttribute("aria-label", name);
  button.setAttribute("aria-expanded", "false");
  const icon = document.createElementNS(SVG, "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("fill", "currentColor");
  path.setAttribute("d", "M12 3C6.5 3 2 6.7 2 11.2c0 2.4 1.3 4.6 3.4 6.1L4.6 21l4.3-1.9c1 .2 2 .4 3.1.4 5.5 0 10-3.7 10-8.3S17.5 3 12 3z");
  icon.append(path);
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.setAttribute("aria-hidden", "true");
  button.append(icon, badge);
  return button;
}

/** Whether an agent may be writing to this visitor: then the panel listens without being opened. */
function isTalking(apiKey: string): boolean {
  try {
    return /"live":"/.test(localStorage.getItem(storageKey(apiKey)) ?? "");
  } catch {
    return false;
  }
}

class HelpbotWidget extends HTMLElement {
  private hasStarted = false;

  connectedCallback(): void {
    const apiKey = this.getAttribute("api-key");
    if (this.hasStarted || !apiKey) return;
    this.hasStarted = true;
    this.start(apiKey).catch((error) => console.warn("HelpBot:", error));
  }

  private async start(apiKey: string): Promise<void> {
    const response = await fetch(`${base}/api/v1/config`, { headers: { Authorization: `Bearer ${apiKey}` }, credentials: "omit" });
    if (!response.ok) throw new Error(`the widget's settings could not be read (${response.status})`);
    const config = await response.json() as WidgetConfig;
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    applyConfig(this, config);
    const button = this.hasAttribute("inline") ? null : launcher(`Chat: ${config.botName}`);
    if (button) root.append(button);

    let panel: Promise<Panel> | undefined;
    const load = () => panel ??= (import(/* @vite-ignore */ `${base}/${PANEL_FILE}`) as Promise<{ mount: Mount }>)
      .then(({ mount }) => mount({ host: this, root, launcher: button, config, apiKey, base }))
      .catch((error) => {
        panel = undefined;
        throw error;
      });
    if (!button) await load();
    button?.addEventListener("pointerenter", () => load().catch(() => {}));
    button?.addEventListener("click", () => load().then((p) => p.toggle(), () => button.title = config.networkErrorText));
    if (button && isTalking(apiKey)) await load();
  }
}

if (!customElements.get("helpbot-widget")) customElements.define("helpbot-widget", HelpbotWidget);

const key = script?.dataset.apiKey;
if (key) {
  const widget = document.createElement("helpbot-widget");
  widget.setAttribute("api-key", key);
  if (script.dataset.inline !== undefined) widget.setAttribute("inline", "");
  if (document.body) document.body.append(widget);
  else addEventListener("DOMContentLoaded", () => document.body.append(widget));
}
