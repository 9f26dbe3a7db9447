// Creates DOM nodes: elements with attributes and children, and the icons of the panel.

type Child = Node | string | null | false;
type Attributes = Record<string, string | number | boolean | ((event: never) => void) | undefined>;

/** Creates an element. Attributes that begin with `on` are listeners, true gives an empty attribute, false and undefined none. */
export function h<K extends keyof HTMLElementTagNameMap>(name: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key.slice(2), value as EventListener);
    else if (value !== false && value !== undefined) node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.filter((child): child is Node | string => child !== null && child !== false));
  return node;
}

const PATHS = {
  close: "M6 6l12 12M18 6L6 18",
  restart: "M4 12a8 8 0 1 0 2.5-5.8M4 4v4.5h4.5",
  mail: "M3 6h18v12H3zM3 7l9 7 9-7",
  send: "M4 12l16-8-6 16-3-6.5z",
  thumb: "M7 11v9H4v-9zM7 11l4-8c1.6 0 2.5 1 2.5 2.5V9H19a1.8 1.8 0 0 1 1.8 2.2l-1.4 7a2 2 0 0 1-2 1.8H7",
};

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: keyof typeof PATHS): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.append(path);
  return svg;
}

/** A button with an icon. Its label is also its tooltip. */
export function iconButton(name: keyof typeof PATHS, label: string, onclick: () => void, more: Attributes = {}): HTMLButtonElement {
  const button = h("button", { class: "icon", type: "button", title: label, "aria-label": label, onclick, ...more });
  button.append(icon(name));
  return button;
}
