// A transport over server-sent events (graphql-sse, distinct connections mode), for networks that block
// WebSocket. It reads the body with fetch, because EventSource cannot send a key or a body.

import { type Doc, requestOf } from "./document";
import { type Decoder, type Event, type Payload, SILENT, type Source, type Transport } from "./follow";
import { ApiError, type Credentials, apiErrorOf, headersOf, unreachable } from "./graphql";

export interface Block {
  event: string;
  data: string;
}

/** Splits `text` into complete event blocks and the incomplete rest. */
export function takeBlocks(text: string): { blocks: Block[]; rest: string } {
  const parts = text.replace(/\r\n/g, "\n").split("\n\n");
  const rest = parts.pop() ?? "";
  const blocks = parts.map((part) => {
    const block: Block = { event: "message", data: "" };
    for (const line of part.split("\n")) {
      const [, field, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      if (field === "event") block.event = value!;
      if (field === "data") block.data += (block.data && "\n") + value!;
    }
    return block;
  });
  return { blocks, rest };
}

interface Connection {
  endpoint: string;
  credentials: Credentials;
  idempotencyKey?: string;
  signal?: AbortSignal;
  /** Called for all data that arrives, including keep-alive comments. */
  onBytes?(): void;
}

interface Ask<Result, Variables> extends Connection {
  document: Doc<Result, Variables>;
  variables: Variables;
}

/** The server sends a comment every 12 seconds, so a stream that is silent for this long is broken. */
const SILENCE_MS = 30_000;
/** A stream without any data until then is buffered by a proxy. */
const FIRST_BYTES_MS = 15_000;

/**
 * Runs a subscription and yields each of its results. Ends when the server completes the stream.
 *
 * Throws an `ApiError` when the server rejects the request or reports an error in the stream, and a
 * `NetworkError` when the connection fails.
 */
export const results = <Result, Variables>(ask: Ask<Result, Variables>): AsyncGenerator<Result> =>
  stream(ask, requestOf(ask.document, ask.variables), ({ data }) => data as Result | null);

/**
 * Sends a request and yields each decoded result. Ends when one cannot be decoded. `onOpen` is called when the server has
 * accepted the request.
 */
async function* stream<E>(ask: Connection, request: object, decode: Decoder<E>, onOpen?: () => void): AsyncGenerator<E> {
  const response = await fetch(`${ask.endpoint}/stream`, {
    method: "POST", credentials: "omit", cache: "no-store", signal: ask.signal ?? null,
    headers: { ...headersOf(ask.credentials, ask.idempotencyKey), Accept: "text/event-stream" },
    body: JSON.stringify(request),
  }).catch((cause) => {
    throw unreachable(cause);
  });
  if (!response.ok || !response.body) throw new ApiError(response.status === 401 ? "UNAUTHENTICATED" : `HTTP_${response.status}`, `The server responded with status ${response.status}.`, response.status);
  onOpen?.();
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const part = await reader.read().catch((cause) => {
      throw unreachable(cause);
    });
    if (part.done) return;
    ask.onBytes?.();
    const taken = takeBlocks(rest + part.value);
    rest = taken.rest;
    for (const { event, data } of taken.blocks) {
      if (event === "complete") return;
      if (event !== "next") continue;
      const payload = JSON.parse(data) as Payload;
      if (payload.errors?.[0]) throw apiErrorOf(payload.errors[0], response.status);
      const item = decode(payload);
      if (item === false) return;
      if (item) yield item;
    }
  }
}

/** A transport for `source` over server-sent events. */
export function sseTransport<E extends Event>(endpoint: string, credentials: () => Credentials, source: Source<E>): Transport<E> {
  return (after, listener) => {
    const abort = new AbortController();
    let silence: ReturnType<typeof setTimeout> | undefined;
    let hasBytes = false;
    const expectBytes = () => {
      clearTimeout(silence);
      silence = setTimeout(() => {
        // A proxy that buffers the stream accepts the request and delivers nothing.
        listener.closed(hasBytes ? undefined : SILENT);
        abort.abort();
      }, hasBytes ? SILENCE_MS : FIRST_BYTES_MS);
    };
    const onBytes = () => {
      hasBytes = true;
      expectBytes();
    };
    const listen = async () => {
      for await (const event of stream({ endpoint, credentials: credentials(), signal: abort.signal, onBytes }, source.request(after), source.decoder(), () => {
        expectBytes();
        listener.opened();
      })) listener.event(event);
    };
    const end = (code?: string) => {
      clearTimeout(silence);
      if (!abort.signal.aborted) listener.closed(code);
    };
    listen().then(() => end(), (error) => end(error instanceof ApiError ? error.code : undefined));
    return () => {
      clearTimeout(silence);
      abort.abort();
    };
  };
}
