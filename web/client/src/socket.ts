// A transport over WebSocket: one operation on one socket, with the graphql-transport-ws protocol.

import type { Decoder, Event, Listener, Payload, ServerError, Source, Transport } from "./follow";
import type { Credentials } from "./graphql";

/** After PING_MS without a message the client sends a ping. Without a reply within PONG_MS it closes the socket. */
const PING_MS = 20_000;
const PONG_MS = 10_000;
const CLOSE_NORMAL = 1000;
/** A socket that is no longer needed may take this long to open before it is closed. */
const OPENING_MS = 1_000;
/** The `readyState` of a socket that is not open yet. */
const CONNECTING = 0;
/** The close code of the protocol after which a retry with the same credentials would fail again. */
const REFUSED = 4401;

interface Frame {
  type: string;
  payload?: Payload | ServerError[];
}

export function socketUrl(endpoint: string): string {
  return endpoint.replace(/^http/, "ws");
}

/** A transport for `source` over WebSocket. */
export function socketTransport<E extends Event>(endpoint: string, credentials: () => Credentials, source: Source<E>): Transport<E> {
  return (after, listener) => {
    let socket: WebSocket;
    try {
      socket = new WebSocket(socketUrl(endpoint), "graphql-transport-ws");
    } catch {
      queueMicrotask(() => listener.closed());
      return () => {};
    }
    const decode = source.decoder();
    const send = (frame: object) => socket.send(JSON.stringify(frame));
    const end = once(listener, () => socket.close(CLOSE_NORMAL));
    const watchdog = keepAlive(() => send({ type: "ping" }), () => end());
    socket.onopen = () => {
      const { apiKey, sessionToken } = credentials();
      send({ type: "connection_init", payload: { authorization: `Bearer ${apiKey}`, sessionToken } });
    };
    socket.onmessage = ({ data }) => {
      watchdog.heard();
      const frame = JSON.parse(String(data)) as Frame;
      if (frame.type === "connection_ack") {
        send({ id: "1", type: "subscribe", payload: source.request(after) });
        listener.opened();
      } else if (frame.type === "ping") {
        send({ type: "pong" });
      } else {
        hand(frame, decode, listener, end);
      }
    };
    socket.onclose = ({ code }) => {
      watchdog.stop();
      end(code === REFUSED ? "UNAUTHENTICATED" : undefined);
    };
    return () => {
      watchdog.stop();
      socket.onclose = socket.onmessage = null;
      const close = () => socket.close(CLOSE_NORMAL);
      // Closing a socket before it is open is an error on the console, so it may open first.
      socket.onopen = close;
      if (socket.readyState === CONNECTING) setTimeout(close, OPENING_MS);
      else close();
    };
  };
}

function hand<E extends Event>({ type, payload }: Frame, decode: Decoder<E>, listener: Listener<E>, end: (code?: string) => void): void {
  const errors = type === "error" ? payload as ServerError[] : (payload as Payload | undefined)?.errors;
  if (errors || type === "complete") return end(errors && (errors[0]?.extensions?.code ?? "INTERNAL"));
  const event = type === "next" ? decode(payload as Payload) : null;
  if (event) listener.event(event);
  else if (event === false) end();
}

/** Returns a function that closes the socket and notifies the listener, at most once. */
function once<E>(listener: Listener<E>, close: () => void): (code?: string) => void {
  let ended = false;
  return (code) => {
    if (ended) return;
    ended = true;
    close();
    listener.closed(code);
  };
}

function keepAlive(ping: () => void, dead: () => void) {
  let timer: ReturnType<typeof setTimeout>;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      ping();
      timer = setTimeout(dead, PONG_MS);
    }, PING_MS);
  };
  return { heard, stop: () => clearTimeout(timer) };
}
