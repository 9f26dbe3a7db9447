// What waits for the signed-in user, which the navigation and the title of the browser tab show on every page.

import { computed, signal } from "@preact/signals";

/** The number of visitors who wait for a human. */
export const waiting = signal(0);
/** The number of messages that nobody has read in the conversations of the signed-in user. A key without a member has those of the team. */
export const unread = signal(0);

const all = computed(() => waiting.value + unread.value);

/** The title of the browser tab, with the number of what waits before the name of the page. */
export const tabTitle = (page: string): string => `${all.value ? `(${all.value}) ` : ""}${page} · HelpBot`;
