// The current page, read from the URL `/dashboard/<page>?…`. Links are real links; a plain click is handled without a page load.

import { signal } from "@preact/signals";

const BASE = "/dashboard";

function read(): { page: string; query: URLSearchParams } {
  const page = location.pathname.slice(BASE.length).replace(/^\/|\/$/g, "") || "overview";
  return { page, query: new URLSearchParams(location.search) };
}

export const route = signal(read());
addEventListener("popstate", () => void (route.value = read()));

export function pathOf(page: string, query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `${BASE}/${page}${search ? `?${search}` : ""}`;
}

export function go(path: string): void {
  history.pushState(null, "", path);
  route.value = read();
  document.getElementById("main")?.focus();
}

/** Writes parameters of the current page into the URL. Parameters equal to "" are removed. The focus stays where it is. */
export function setParams(changes: Record<string, string>, isNewEntry = false): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const search = query.toString();
  const path = location.pathname + (search ? `?${search}` : "");
  if (isNewEntry) history.pushState(null, "", path);
  else history.replaceState(null, "", path);
  route.value = read();
}

/** The URL of the current page with other parameters. Parameters equal to "" are removed. */
export function withParams(changes: Record<string, string>): string {
  const { page, query } = route.value;
  return pathOf(page, Object.fromEntries(Object.entries({ ...Object.fromEntries(query), ...changes }).filter(([, value]) => value)));
}

/** A parameter of the URL, or `fallback` when it is missing. */
export const param = (name: string, fallback = ""): string => route.value.query.get(name) ?? fallback;

/** A click handler that follows plain clicks on dashboard links. The browser handles all other clicks. */
export function follows(event: MouseEvent): void {
  const link = (event.target as Element).closest("a");
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || link.target) return;
  if (link.origin !== location.origin || !link.pathname.startsWith(BASE)) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
