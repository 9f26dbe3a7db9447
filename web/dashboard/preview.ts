// The preview in the widget editor: the real panel with a backend that answers from memory. Only the editor loads this file.

import type { Widget } from "../generated/dashboard";
import type { Backend } from "../widget/backend";
import { applyConfig, type WidgetConfig } from "../widget/config";
import { WidgetPanel } from "../widget/panel";
import { type Session, emptySession } from "../widget/session";

const SAMPLE = "Delivery takes **2 to 4 days** in this country and up to ten days elsewhere.\n\n- You get a tracking link\n- A neighbor can accept the parcel";

const sampleBackend: Backend = {
  canSay: false,
  ask: async () => ({ conversationId: "sample", text: SAMPLE, links: [{ title: "Delivery", url: `${location.origin}/demo` }], suggestions: [], answered: true }),
  vote: async () => {},
  handoff: async () => {},
  say: async () => null,
  messages: async () => [],
  follow: () => null,
  tellTyping: () => {},
  watchTyping: () => () => {},
};

/** Draws the panel with the settings in `widget` into `place`, with a sample conversation. */
export function drawPreview(place: HTMLElement, widget: Widget): void {
  const config: WidgetConfig = { ...widget, position: widget.position === "BOTTOM_LEFT" ? "bottom-left" : "bottom-right" };
  const host = document.createElement("div");
  host.setAttribute("inline", "");
  const root = host.attachShadow({ mode: "open" });
  applyConfig(host, config);
  const session: Session = {
    ...emptySession(0),
    entries: [
      { kind: "visitor", text: "How long does delivery take?", key: "sample" },
      { kind: "bot", text: SAMPLE, conversationId: "sample", links: [{ title: "Delivery", url: `${location.origin}/demo` }], suggestions: [], answered: true, vote: "yes" },
    ],
  };
  place.replaceChildren(host);
  new WidgetPanel({ host, root, launcher: null, config, apiKey: "preview", base: location.origin }, sampleBackend, session);
}
