// Follows a stream of events over connections that can fail at any time.
//
// Guarantee: each event is delivered once and in order, and after a lost connection the stream continues from the
// last cursor. When events may have been missed, `onGap` asks the reader to read the state again. Results of live queries
// have no cursor: a new connection begins with the newest one. The transports are tried in order: a transport that never
// opened is replaced by the next one.

import { type Doc, requestOf } from "./document";

export interface Event {
  cursor?: string | undefined;
}

/** A result, as the server sends it over WebSocket and server-sent events. */
export interface Payload {
  data?: Record<string, unknown> | null;
  errors?: ServerError[];
  /** The changes since the result before it, and its number, in the results of a live query. */
  patch?: unknown[];
  revision?: number;
}

export interface ServerError {
  message: string;
  extensions?: { code?: string; retryAfter?: number };
}

/** What a transport listens to. */
export interface Source<E> {
  /** The parameters of the request that listens after a cursor, or from now on when it is null. */
  request(after: string | null): object;
  /** A decoder of the results of one connection. */
  decoder(): Decoder<E>;
}

/** Decodes a result. Null means that it contains nothing, and false that the connection must end. */
export type Decoder<E> = (payload: Payload) => E | null | undefined | false;

/** The events of the subscription `document`, which has a single field. The cursor is passed as the variable `after`. */
export const eventsOf = <E extends Event, Result, Variables>(document: Doc<Result, Variables>, variables: () => Variables): Source<E> => ({
  request: (after) => requestOf(document, { ...variables(), after }),
  decoder: () => ({ data }) => data && (Object.values(data)[0] as E),
});

export interface Listener<E> {
  opened(): void;
  event(event: E): void;
  /** The connection ended. `code` is the server's error code, or one of the codes below. */
  closed(code?: string): void;
}

/** Codes of a transport itself: it delivers nothing here, or a better transport may work again. */
export const SILENT = "SILENT";
export const UPGRADE = "UPGRADE";

/** Listens after the cursor `after`, or from now on when it is null. The result closes the connection. */
export type Transport<E> = (after: string | null, listener: Listener<E>) => () => void;

export type State = "connecting" | "live" | "waiting" | "refused";

export interface Options<E> {
  after: string | null;
  onEvent(event: E): void;
  /** `code` is the server's reason for the state `refused`. */
  onState?(state: State, code?: string): void;
  /** Events may have been missed. Called on each opening without a cursor and when the cursor has expired. */
  onGap?(): void;
  /** A random number between 0 and 1 for the delay. */
  random?(): number;
}

export interface Following {
  stop(): void;
  /** Reconnects immediately, because the network is back or the credentials have changed. */
  wake(): void;
  cursor(): string | null;
}

const FIRST_DELAY_MS = 500;
/** A person waits for a reply, so the delay stays short. Half of it is random: 1,000 visitors make 170 attempts per second. */
const LAST_DELAY_MS = 8_000;
/** A connection that has not opened by then is abandoned: a proxy accepted it and does not respond. */
const OPEN_DEADLINE_MS = 10_000;
/** The number of cursors that are remembered to drop duplicates. A replay overlaps by much less. */
const REMEMBERED = 256;
/** Beginnings of the error codes after which another attempt would fail again. The visitor downloads them, so they are short. */
const FINAL_CODES = /^(UNAUTH|FORBID|PLAN_|NOT_FOUND|BAD_USER|COMPLEX|GRAPHQL_)/;

/** The delay before attempt `n` (from 0). It doubles up to 8 s, and half of it is random. */
export function delayMs(n: number, random: number): number {
  const whole = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** n);
  return Math.round(whole / 2 + (whole / 2) * random);
}

export function follow<E extends Event>(transports: Array<Transport<E>>, options: Options<E>): Following {
  const random = options.random ?? Math.random;
  const seen = new Set<string>();
  let cursor = options.after;
  let which = 0;
  let failures = 0;
  let stopped = false;
  let close: (() => void) | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let connection = 0;

  const accept = (event: E) => {
    if (event.cursor) {
      if (seen.has(event.cursor)) return;
      seen.add(event.cursor);
      if (seen.size > REMEMBERED) seen.delete(seen.values().next().value as string);
      cursor = event.cursor;
    }
    failures = 0;
    options.onEvent(event);
  };

  const again = (hadOpened: boolean, code?: string) => {
    close = null;
    if (code && FINAL_CODES.test(code)) {
      stopped = true;
      options.onState?.("refused", code);
      return;
    }
    if (code === "CURSOR_EXPIRED") cursor = null;
    const isUseless = !hadOpened || code === SILENT;
    if (code === UPGRADE) which = 0;
    else if (isUseless) which = (which + 1) % transports.length;
    // The next transport is tried at once. Only after all of them have failed is there a delay.
    const isNext = isUseless && which !== 0;
    if (!isNext && code !== UPGRADE) options.onState?.("waiting");
    timer = setTimeout(connect, isNext || code === UPGRADE ? 0 : delayMs(failures++, random()));
  };

  const connect = () => {
    if (stopped) return;
    const mine = ++connection;
    const current = () => mine === connection && !stopped;
    let hasOpened = false;
    options.onState?.("connecting");
    const hang = setTimeout(() => {
      if (!current()) return;
      drop();
      again(false);
    }, OPEN_DEADLINE_MS);
    close = transports[which]!(cursor, {
      opened: () => {
        clearTimeout(hang);
        if (!current() || hasOpened) return;
        hasOpened = true;
        options.onState?.("live");
        if (cursor === null) options.onGap?.();
      },
      event: (event) => current() && accept(event),
      closed: (code) => {
        clearTimeout(hang);
        if (current()) again(hasOpened, code);
      },
    });
  };

  const drop = () => {
    connection++;
    clearTimeout(timer);
    close?.();
    close = null;
  };

  connect();
  return {
    stop: () => {
      stopped = true;
      drop();
    },
    wake: () => {
      if (stopped) return;
      drop();
      failures = 0;
      connect();
    },
    cursor: () => cursor,
  };
}
