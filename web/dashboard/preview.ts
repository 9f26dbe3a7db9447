// The preview in the widget editor: the real panel with a backend that answers from memory. Only the editor loads this file.

import type { Widget } from "../generated/dashboard";
import type { Backend } from "../widget/backend";
import { applyConfig, type WidgetConfig } from "../widget/config";
import { WidgetPanel } from "../widget/panel";
import { Store } from "../widget/store";
import { localeOf } from "../widget/words";

const SAMPLE = "Delivery takes **2 to 4 days** in this country and up to ten days elsewhere.\n\n- You get a tracking link\n- A neighbor can accept the parcel";
const ANSWER = { text: SAMPLE, links: [{ title: "Delivery", url: `${location.origin}/demo` }], suggestions: [], conversationId: "sample", answered: true };

const sampleBackend: Backend = {
  canSay: false,
  ask: async () => ({ ...ANSWER, session: null, status: null }),
  vote: async () => {},
  handoff: async () => ({ id: null, session: null }),
  run: null,
  say: async () => null,
  current: async () => [],
  follow: () => null,
  tellTyping: () => {},
  watchTeam: () => () => {},
};

let drawn: WidgetPanel | null = null;

/** Draws the panel with the settings in `widget` into `place`, with a sample conversation. Without a language it is that of this page. */
export async function drawPreview(place: HTMLElement, widget: Widget, language: string): Promise<void> {
  const locale = await localeOf(language || widget.aiLanguage, document.documentElement.lang || navigator.language);
  drawn?.destroy();
  const config: WidgetConfig = { ...widget, position: widget.position === "BOTTOM_LEFT" ? "bottom-left" : "bottom-right" };
  const host = document.createElement("div");
  host.setAttribute("inline", "");
  const root = host.attachShadow({ mode: "open" });
  applyConfig(host, config);
  const store = new Store("preview", null);
  store.update((state) => state.entries.push(
    { kind: "visitor", key: "question", text: "How long does delivery take?", to: "bot" },
    { kind: "bot", key: "answer", ...ANSWER, vote: "yes" },
  ));
  place.replaceChildren(host);
  drawn = new WidgetPanel({ host, root, launcher: null, config, apiKey: "preview", base: location.origin }, locale, sampleBackend, store, []);
}
