// The replies of an agent on their way to the server. The outbox of a conversation exists once in the page, so its
// messages are sent also while another conversation or another page is shown.

import { type Line, Reply } from "../generated/dashboard";
import { change } from "./client";
import { outboxOf } from "./drafts";
import type { Outbox } from "./outbox";
import { sayError } from "./ui";

type Listener = (conversationId: string, line: Line) => void;
const listeners = new Set<Listener>();

/** Reports each reply that the server has accepted. */
export function onReply(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The outbox of a conversation. */
export function repliesTo(conversationId: string, siteId: string): Outbox {
  return outboxOf(conversationId, async (text, key) => {
    const { message } = await change(Reply, { input: { conversationId, siteId, text } }, key);
    if (message) listeners.forEach((listener) => listener(conversationId, message));
  }, sayError);
}
