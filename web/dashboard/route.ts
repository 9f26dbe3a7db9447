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

/** A click handler that follows plain clicks on dashboard links. The browser handles all other clicks. */
export function follows(event: MouseEvent): void {
  const link = (event.target as Element).closest("a");
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || link.target) return;
  if (link.origin !== location.origin || !link.pathname.startsWith(BASE)) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
