// A transport over WebSocket: one subscription on one socket, with the graphql-transport-ws protocol.
// The widget uses this small implementation because every visitor downloads it. The dashboard runs many
// operations over one socket and uses the package graphql-ws instead.

import { type Doc, requestOf } from "./document";
import type { Event, Listener, Transport } from "./follow";
import type { Credentials } from "./graphql";

/** After PING_MS without a message the client sends a ping. Without a reply within PONG_MS it closes the socket. */
const PING_MS = 20_000;
const PONG_MS = 10_000;
const CLOSE_NORMAL = 1000;
/** Close codes of the protocol after which a retry with the same credentials would fail again. */
const REFUSALS: Record<number, string> = { 4401: "UNAUTHENTICATED" };

interface Frame<E> {
  type: string;
  payload?: { data?: Record<string, E> | null; errors?: ServerError[] } | ServerError[];
}

interface ServerError {
  extensions?: { code?: string };
}

function codeOf(errors: ServerError[] | undefined): string {
  return errors?.[0]?.extensions?.code ?? "INTERNAL";
}

export function socketUrl(endpoint: string): string {
  return endpoint.replace(/^http/, "ws");
}

/** A transport for the subscription `document`, which has a single field. The cursor is passed as the variable `after`. */
export function socketTransport<E extends Event, Result, Variables>(
  endpoint: string, credentials: () => Credentials, document: Doc<Result, Variables>, variables: () => Variables,
): Transport<E> {
  return (after, listener) => {
    let socket: WebSocket;
    try {
      socket = new WebSocket(socketUrl(endpoint), "graphql-transport-ws");
    } catch {
      queueMicrotask(() => listener.closed());
      return () => {};
    }
    const send = (frame: object) => socket.send(JSON.stringify(frame));
    const end = once(listener, () => socket.close(CLOSE_NORMAL));
    const watchdog = keepAlive(() => send({ type: "ping" }), () => end());
    socket.onopen = () => {
      const { apiKey, sessionToken } = credentials();
      send({ type: "connection_init", payload: { apiKey, authorization: `Bearer ${apiKey}`, sessionToken } });
    };
    socket.onmessage = ({ data }) => {
      watchdog.heard();
      const frame = JSON.parse(String(data)) as Frame<E>;
      if (frame.type === "connection_ack") {
        send({ id: "1", type: "subscribe", payload: requestOf(document, { ...variables(), after }) });
        listener.opened();
      } else if (frame.type === "ping") {
        send({ type: "pong" });
      } else {
        hand(frame, listener, end);
      }
    };
    socket.onclose = ({ code }) => {
      watchdog.stop();
      end(REFUSALS[code]);
    };
    return () => {
      watchdog.stop();
      socket.onclose = socket.onmessage = null;
      socket.close(CLOSE_NORMAL);
    };
  };
}

function hand<E extends Event>(frame: Frame<E>, listener: Listener<E>, end: (code?: string) => void): void {
  if (frame.type === "next" && frame.payload && !Array.isArray(frame.payload)) {
    if (frame.payload.errors?.length) return end(codeOf(frame.payload.errors));
    const event = frame.payload.data && Object.values(frame.payload.data)[0];
    if (event) listener.event(event);
  } else if (frame.type === "error") {
    end(codeOf(frame.payload as ServerError[]));
  } else if (frame.type === "complete") {
    end();
  }
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
