// The client: one object for all operations of an address and a key. It keeps no connection of its own: each
// subscription and live query has one, which is opened again when it is lost.

import { type Operation, docOf } from "./document";
import { type Event, type Following, type Source, type State, type Transport, eventsOf, follow } from "./follow";
import { ApiError, type Credentials, againAfterMs, isUnreachable, request } from "./graphql";
import { newId } from "./id";
import { type LiveResult, liveOf } from "./live_query";
import { pollTransport } from "./poll";
import { socketTransport } from "./socket";
import { results, sseTransport } from "./sse";

export interface ClientOptions {
  /** Address of the server, for example `https://help.example.com`. */
  url: string;
  /** API key, or a function that returns the current one. Only a widget key may be part of a web page. */
  key: string | (() => string);
  /** Returns the token of the visitor's session, or null. */
  sessionToken?: () => string | null;
}

export interface RunOptions {
  /** The operation is carried out once for this key. With several attempts, it defaults to a random key. */
  idempotencyKey?: string;
  /** The number of attempts while the server cannot be reached or asks to wait. Defaults to 1. */
  attempts?: number;
}

export interface StreamOptions {
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** The single field of a subscription's result. */
export type EventOf<Result> = Result[keyof Result] & Event;

export interface FollowOptions<E> {
  /** Cursor of the last event that is known. By default, events from now on are delivered. */
  after?: string | null;
  onEvent(event: E): void;
  /** Events may have been missed: read the state again. */
  onGap?(): void;
  onState?(state: State, code?: string): void;
  /** Reads the state. It is called every few seconds where the network allows no stream. */
  read?(): Promise<void>;
}

export interface EventsOptions {
  after?: string | null;
  signal?: AbortSignal;
  onState?(state: State): void;
}

export interface Client {
  /** Runs a query or mutation. Throws an `ApiError` for the first error, or a `NetworkError`. */
  run<Result, Variables>(operation: Operation<Result, Variables>, variables: Variables, options?: RunOptions): Promise<Result>;
  /** Runs a subscription once and yields its results, for example an answer while it is generated. */
  stream<Result, Variables>(operation: Operation<Result, Variables>, variables: Variables, options?: StreamOptions): AsyncGenerator<Result>;
  /** Delivers each event of a subscription once and in order. It must select `cursor` and declare `$after`. */
  follow<Result, Variables>(operation: Operation<Result, Variables>, variables: Variables, options: FollowOptions<EventOf<Result>>): Following;
  /**
   * Yields each event of a subscription once and in order. Throws an `ApiError` when the server refuses it, also
   * with the code `CURSOR_EXPIRED` when events are missing.
   */
  events<Result, Variables>(operation: Operation<Result, Variables>, variables: Variables, options?: EventsOptions): AsyncGenerator<EventOf<Result>>;
  /**
   * Calls `onResult` with the result of a query with `@live`, and again after each change. Where the network allows no
   * stream, the query is run every few seconds.
   */
  live<Result, Variables>(
    operation: Operation<Result, Variables>, variables: Variables, onResult: (result: Result) => void, onState?: (state: State, code?: string) => void,
  ): Following;
}

export function createClient({ url, key, sessionToken }: ClientOptions): Client {
  const endpoint = `${url.replace(/\/$/, "")}/graphql`;
  const credentials = (): Credentials => ({ apiKey: typeof key === "string" ? key : key(), sessionToken: sessionToken?.() ?? null });
  const transports = <E extends Event>(source: Source<E>): Array<Transport<E>> => [
    socketTransport(endpoint, credentials, source), sseTransport(endpoint, credentials, source),
  ];
  const client: Client = {
    async run(operation, variables, { attempts = 1, idempotencyKey = attempts > 1 ? newId() : "" } = {}) {
      for (let failures = 0; ; failures++) {
        try {
          return await request(endpoint, credentials(), docOf(operation), variables, idempotencyKey);
        } catch (error) {
          const retryAfter = error instanceof ApiError ? error.retryAfter : undefined;
          if (failures + 1 >= attempts || !(isUnreachable(error) || retryAfter)) throw error;
          await new Promise((resolve) => setTimeout(resolve, retryAfter ? retryAfter * 1000 : againAfterMs(failures)));
        }
      }
    },
    stream: (operation, variables, options = {}) => results({ endpoint, credentials: credentials(), document: docOf(operation), variables, ...options }),
    follow<Result, Variables>(operation: Operation<Result, Variables>, variables: Variables, { read, after = null, ...on }: FollowOptions<EventOf<Result>>) {
      const list = transports(eventsOf<EventOf<Result>, Result, Variables>(docOf(operation), () => variables));
      return follow([...list, ...(read ? [pollTransport<EventOf<Result>>(read)] : [])], { after, ...on });
    },
    async *events<Result, Variables>(operation: Operation<Result, Variables>, variables: Variables, { after = null, signal, onState }: EventsOptions = {}) {
      const waiting: Array<EventOf<Result>> = [];
      let failure: ApiError | null = null;
      let wake = () => {};
      const fail = (code: string, message: string) => {
        failure = new ApiError(code, message, 200);
        wake();
      };
      const following = client.follow(operation, variables, {
        after,
        onEvent: (event) => {
          waiting.push(event);
          wake();
        },
        onGap: () => after && fail("CURSOR_EXPIRED", "Events after the cursor are no longer stored."),
        onState: (state, code) => {
          onState?.(state);
          if (state === "refused") fail(code ?? "INTERNAL", "The server refused the subscription.");
        },
      });
      const aborted = () => wake();
      signal?.addEventListener("abort", aborted);
      try {
        for (;;) {
          while (waiting.length && !signal?.aborted) yield waiting.shift()!;
          if (failure) throw failure;
          if (signal?.aborted) return;
          await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        signal?.removeEventListener("abort", aborted);
        following.stop();
      }
    },
    live<Result, Variables>(
      operation: Operation<Result, Variables>, variables: Variables, onResult: (result: Result) => void, onState: (state: State, code?: string) => void = () => {},
    ) {
      let isStopped = false;
      const read = () => client.run(operation, variables).then((result) => isStopped || onResult(result));
      const list = [...transports(liveOf(docOf(operation), () => variables)), pollTransport<LiveResult<Result>>(read)];
      const following = follow<LiveResult<Result>>(list, { after: null, onState, onEvent: ({ data }) => onResult(data) });
      return {
        ...following,
        stop() {
          isStopped = true;
          following.stop();
        },
      };
    },
  };
  return client;
}
