// Follows a stream of events for as long as its reader wants it, over connections that come and go.
//
// Guarantee: an event is handed on once, in order, and after a break the stream goes on from the last
// cursor seen. When the server has forgotten that cursor, the reader is told through `onGap` that it has to
// read the state again. The transports are tried in order: one that never opened gives way to the next.

export interface Event {
  cursor: string;
}

export interface Listener<E> {
  opened(): void;
  event(event: E): void;
  /** The connection is over; `code` is the server's error code if it gave one. */
  closed(code?: string): void;
}

/** A way to listen from `after` on (null: from now); the result closes it. It calls `closed` at most once. */
export type Transport<E> = (after: string | null, listener: Listener<E>) => () => void;

export type State = "connecting" | "live" | "waiting" | "refused";

export interface Options<E> {
  after: string | null;
  onEvent(event: E): void;
  onState?(state: State): void;
  /** Events may have been missed; called on each opening without a cursor, and when the cursor expired. */
  onGap?(): void;
  /** 0..1, for jitter. */
  random?(): number;
}

export interface Following {
  stop(): void;
  /** Tries again now: the network is back, or the credentials changed. */
  wake(): void;
  cursor(): string | null;
}

const FIRST_DELAY_MS = 500;
/** Somebody waits for an answer at the other end; with half of it random, a thousand visitors make 170 tries a second. */
const LAST_DELAY_MS = 8_000;
/** A connection that has not opened by then never will: a proxy took it and went silent. */
const OPEN_DEADLINE_MS = 10_000;
/** Cursors remembered for dropping repeats; a replay overlaps by far less than this. */
const REMEMBERED = 256;
/** Codes after which trying again would be refused again. */
const FINAL_CODES = new Set(["UNAUTHENTICATED", "FORBIDDEN", "PLAN_REQUIRED", "NOT_FOUND", "GRAPHQL_VALIDATION_FAILED"]);

/** How long to wait before attempt `n` (from 0): doubling, half of it random, at most 8 s. */
export function delayMs(n: number, random: number): number {
  const whole = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(n, 16));
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
    if (seen.has(event.cursor)) return;
    seen.add(event.cursor);
    if (seen.size > REMEMBERED) seen.delete(seen.values().next().value as string);
    cursor = event.cursor;
    failures = 0;
    options.onEvent(event);
  };

  const again = (hadOpened: boolean, code?: string) => {
    close = null;
    if (code && FINAL_CODES.has(code)) {
      stopped = true;
      options.onState?.("refused");
      return;
    }
    if (code === "CURSOR_EXPIRED") cursor = null;
    if (!hadOpened) which = (which + 1) % transports.length;
    options.onState?.("waiting");
    timer = setTimeout(connect, delayMs(failures++, random()));
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
        if (!current()) return;
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
