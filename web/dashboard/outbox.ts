// The messages that an agent has written and the server has not accepted yet, sent one after the other in order.
//
// A message that was not delivered stays visible. After a lost connection it is sent again automatically with the
// same key, so that the server stores it once. After a rejection it is sent again only when the agent asks for it.

import { type Signal, signal } from "@preact/signals";
import { againAfterMs, isUnreachable } from "../client/src/graphql";
import { newId } from "../client/src/id";

export interface Unsent {
  /** The same for every attempt. */
  key: string;
  text: string;
  /** Why the message was not delivered. Empty while it is being sent. */
  fault: string;
  /** Whether the message only needs a working connection. */
  isOffline: boolean;
}

export interface Outbox {
  lines: Signal<Unsent[]>;
  write(text: string): void;
  /** Tries again: the line with this key, or all lines that only lacked a connection. */
  again(key?: string): void;
  discard(key: string): void;
}

export interface Kept {
  /** Lines of an earlier page. They are sent again like lines that lacked a connection. */
  lines: Unsent[];
  save(lines: Unsent[]): void;
  newKey?(): string;
}

/** `send` resolves when the server has accepted the message. `explain` returns the reason why it has not. */
export function outbox(send: (text: string, key: string) => Promise<void>, explain: (error: unknown) => string, kept?: Kept): Outbox {
  const lines = signal<Unsent[]>((kept?.lines ?? []).map((line) => ({ ...line, fault: line.fault || "The page was reloaded.", isOffline: line.isOffline || !line.fault })));
  const set = (all: Unsent[]) => {
    lines.value = all;
    kept?.save(all);
  };
  let isSending = false;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const put = (key: string, change: Partial<Unsent>) => set(lines.value.map((line) => (line.key === key ? { ...line, ...change } : line)));
  const remove = (key: string) => set(lines.value.filter((line) => line.key !== key));
  const run = async () => {
    if (isSending) return;
    isSending = true;
    // A message that waits holds back the ones after it, which would otherwise arrive first.
    for (let line = lines.value[0]; line && !line.fault; line = lines.value[0]) {
      const { key, text } = line;
      try {
        await send(text, key);
        failures = 0;
        remove(key);
      } catch (error) {
        put(key, { fault: explain(error), isOffline: isUnreachable(error) });
        if (isUnreachable(error)) againLater();
      }
    }
    isSending = false;
  };
  const again = (key?: string) => {
    clearTimeout(timer);
    lines.value.filter((line) => (key ? line.key === key : line.isOffline)).forEach((line) => put(line.key, { fault: "", isOffline: false }));
    void run();
  };
  // A single request can fail while the connection for events stays open.
  const againLater = () => {
    clearTimeout(timer);
    timer = setTimeout(() => again(), againAfterMs(failures++));
  };
  return {
    lines, again, discard: (key) => {
      remove(key);
      void run();
    },
    write: (text) => {
      set([...lines.value, { key: (kept?.newKey ?? newId)(), text, fault: "", isOffline: false }]);
      void run();
    },
  };
}
