// The live connection to a site's events. All pages of the dashboard share it while a user is signed in.
//
// `onEvent` delivers the events. `onStale` listeners read their state again, because events may have been missed.
// The numbers of waiting visitors and of unread messages, which the navigation shows on every page, come from live queries.

import { signal } from "@preact/signals";
import type { Following, State } from "../client/src/follow";
import { type Row, Unread, Waiting } from "../generated/dashboard";
import { unread, waiting } from "./attention";
import { type WatchEvent, eventCursor, live, viewer, watch } from "./client";
import { sendAllAgain, unsentConversations } from "./drafts";
import { repliesTo } from "./replies";

export const liveState = signal<State>("connecting");

type Listener = (event: WatchEvent) => void;

const eventListeners = new Set<Listener>();
const staleListeners = new Set<() => void>();

export function onEvent(listener: Listener): () => void {
  eventListeners.add(listener);
  return () => void eventListeners.delete(listener);
}

export function onStale(listener: () => void): () => void {
  staleListeners.add(listener);
  return () => void staleListeners.delete(listener);
}

const readListeners = new Set<(row: Row) => void>();

/** Reports a conversation whose messages the agent has read. */
export const marked = (row: Row): void => readListeners.forEach((listener) => listener(row));

export function onRead(listener: (row: Row) => void): () => void {
  readListeners.add(listener);
  return () => void readListeners.delete(listener);
}

/** Follows the events of a site until the returned function is called. */
export function connect(siteId: string): () => void {
  let following: Following | null = null;
  let isStopped = false;
  const count = live(Waiting, { site: siteId }, ({ site }) => void (waiting.value = site?.conversations?.totalCount ?? 0), () => {});
  const member = viewer.peek()?.member?.id;
  const mine = live(Unread, { site: siteId, filter: { handoffStatuses: ["ASSIGNED"], ...member && { assigneeId: member } } },
    ({ site }) => void (unread.value = (site?.conversations?.nodes ?? []).reduce((sum, { unreadCount }) => sum + (unreadCount ?? 0), 0)), () => {});
  const stale = () => staleListeners.forEach((listener) => listener());
  unsentConversations().forEach((id) => repliesTo(id, siteId));
  void eventCursor(siteId).then((cursor) => {
    if (isStopped) return;
    // Pages that read their state before the cursor was known may have missed events.
    stale();
    following = watch(siteId, cursor, {
      event: (event) => eventListeners.forEach((listener) => listener(event)),
      state: (state) => {
        liveState.value = state;
        if (state === "live") sendAllAgain();
      },
      gap: stale,
    });
  });
  return () => {
    isStopped = true;
    count.stop();
    mine.stop();
    following?.stop();
    waiting.value = unread.value = 0;
    liveState.value = "connecting";
  };
}
