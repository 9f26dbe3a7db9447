// The last transport, for networks that block WebSocket and server-sent events. It delivers no events. Instead it
// makes the reader read the state every few seconds with ordinary requests.

import { type Event, type Transport, UPGRADE } from "./follow";

const POLL_MS = 3_000;
/** After this time the faster transports are tried again: the network may have changed. */
const UPGRADE_MS = 120_000;

/** A transport that calls `read` every few seconds. `read` must fail when the server cannot be reached. */
export function pollTransport<E extends Event>(read: () => Promise<unknown>): Transport<E> {
  return (_after, listener) => {
    const startedAt = Date.now();
    let isStopped = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => read().then(() => {
      if (isStopped) return;
      if (Date.now() - startedAt > UPGRADE_MS) return listener.closed(UPGRADE);
      listener.opened();
      timer = setTimeout(look, POLL_MS);
    }, () => isStopped || listener.closed());
    void look();
    return () => {
      isStopped = true;
      clearTimeout(timer);
    };
  };
}
