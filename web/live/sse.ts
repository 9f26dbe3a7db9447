// A transport over server-sent events (graphql-sse, distinct connections mode), for networks that block
// WebSocket. It reads the body with fetch, because EventSource cannot send a key or a body.

import { type Doc, requestOf } from "./document";
import { type Event, SILENT, type Transport } from "./follow";
import { ApiError, type Credentials, NetworkError, headersOf } from "./graphql";

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

interface Payload<Result> {
  data?: Result | null;
  errors?: Array<{ message: string; extensions?: { code?: string } }>;
}

interface Ask<Result, Variables> {
  endpoint: string;
  credentials: Credentials;
  document: Doc<Result, Variables>;
  variables: Variables;
  idempotencyKey?: string;
  signal?: AbortSignal;
  /** Called for all data that arrives, including keep-alive comments. */
  onBytes?(): void;
}

/** The server sends a comment every 12 seconds, so a stream that is silent for this long is broken. */
const SILENCE_MS = 30_000;
/** A stream without any data until then is buffered by a proxy. */
const FIRST_BYTES_MS = 15_000;

/**
 * Runs a subscription and yields each of its results. Ends when the server completes the stream.
 *
 * Throws an `ApiError` when the server rejects the request or reports an error in the stream, and a
 * `NetworkError` when the connection fails. `onOpen` is called when the server has accepted the request.
 */
export async function* results<Result, Variables>(ask: Ask<Result, Variables>, onOpen = () => {}): AsyncGenerator<Result> {
  const response = await fetch(`${ask.endpoint}/stream`, {
    method: "POST", credentials: "omit", cache: "no-store", signal: ask.signal ?? null,
    headers: { ...headersOf(ask.credentials, ask.idempotencyKey), Accept: "text/event-stream" },
    body: JSON.stringify(requestOf(ask.document, ask.variables)),
  }).catch((cause) => {
    throw new NetworkError("The server could not be reached.", { cause });
  });
  if (!response.ok || !response.body) throw new ApiError(response.status === 401 ? "UNAUTHENTICATED" : `HTTP_${response.status}`, "The server rejected the stream.", response.status);
  onOpen();
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const part = await reader.read().catch((cause) => {
      throw new NetworkError("The stream ended unexpectedly.", { cause });
    });
    if (part.done) return;
    ask.onBytes?.();
    const taken = takeBlocks(rest + part.value);
    rest = taken.rest;
    for (const { event, data } of taken.blocks) {
      if (event === "complete") return;
      if (event !== "next") continue;
      const payload = JSON.parse(data) as Payload<Result>;
      const error = payload.errors?.[0];
      if (error) throw new ApiError(error.extensions?.code ?? "INTERNAL", error.message, response.status);
      if (payload.data) yield payload.data;
    }
  }
}

/** A transport for the subscription `document`, which has a single field. The cursor is passed as the variable `after`. */
export function sseTransport<E extends Event, Result extends object, Variables>(
  endpoint: string, credentials: () => Credentials, document: Doc<Result, Variables>, variables: () => Variables,
): Transport<E> {
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
      const ask = { endpoint, credentials: credentials(), document, variables: { ...variables(), after }, signal: abort.signal, onBytes };
      for await (const result of results(ask, () => {
        expectBytes();
        listener.opened();
      })) {
        const event = Object.values(result)[0] as E | null;
        if (event) listener.event(event);
      }
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
