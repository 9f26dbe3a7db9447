// What an agent wrote and the server has not yet taken: sent one after the other, in the order of writing.
//
// A line that did not get through stays where it is seen. After a broken connection it is sent again by
// itself, with the same key, so the server takes it once; after a refusal only when the agent says so.

import { type Signal, signal } from "@preact/signals";
import { NetworkError } from "../live/graphql";

export interface Unsent {
  /** The same for every try. */
  key: string;
  text: string;
  /** Empty while it is on its way. */
  fault: string;
  /** Whether a working connection is all that it needs. */
  isOffline: boolean;
}

export interface Outbox {
  lines: Signal<Unsent[]>;
  write(text: string): void;
  /** Tries again: one line, or all that only lacked a connection. */
  again(key?: string): void;
  discard(key: string): void;
}

/** `send` resolves when the server has taken the line; `explain` says in words why it did not. */
export function outbox(send: (text: string, key: string) => Promise<void>, explain: (error: unknown) => string, newKey: () => string = () => crypto.randomUUID()): Outbox {
  const lines = signal<Unsent[]>([]);
  let isSending = false;
  const put = (key: string, change: Partial<Unsent>) => void (lines.value = lines.value.map((line) => (line.key === key ? { ...line, ...change } : line)));
  const discard = (key: string) => void (lines.value = lines.value.filter((line) => line.key !== key));
  const run = async () => {
    if (isSending) return;
    isSending = true;
    // A line that waits holds back those after it: they would arrive before it.
    for (let line = lines.value[0]; line && !line.fault; line = lines.value[0]) {
      const { key, text } = line;
      try {
        await send(text, key);
        discard(key);
      } catch (error) {
        put(key, { fault: explain(error), isOffline: error instanceof NetworkError });
      }
    }
    isSending = false;
  };
  return {
    lines, discard: (key) => {
      discard(key);
      void run();
    },
    write: (text) => {
      lines.value = [...lines.value, { key: newKey(), text, fault: "", isOffline: false }];
      void run();
    },
    again: (key) => {
      lines.value.filter((line) => (key ? line.key === key : line.isOffline)).forEach((line) => put(line.key, { fault: "", isOffline: false }));
      void run();
    },
  };
}
