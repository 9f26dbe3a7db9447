// Sends one GraphQL request over HTTP and reports its errors. The widget and the dashboard use it.
// It never retries, because only the caller knows which operations can be repeated.

import { type Doc, requestOf } from "./document";
import type { ServerError } from "./follow";

/** The credentials of a request. A visitor has a key and a session token, an agent only a key. */
export interface Credentials {
  apiKey: string;
  sessionToken?: string | null | undefined;
}

/**
 * An error that the server reported. `code` is the error code of the API, or `HTTP_<status>` when the response has none.
 * The same request can succeed after `retryAfter` seconds, when the server says so.
 */
export class ApiError extends Error {
  constructor(readonly code: string, message: string, readonly status: number, readonly retryAfter?: number | undefined) {
    super(message);
    this.name = "ApiError";
  }
}

/** The server could not be reached, or the connection ended before the response was complete. */
export class NetworkError extends Error {
  override name = "NetworkError";
}

const TIMEOUT_MS = 30_000;

/** The headers of a request. A request with an `idempotencyKey` can be sent again without being executed twice. */
export function headersOf({ apiKey, sessionToken }: Credentials, idempotencyKey?: string): Record<string, string> {
  const headers: Record<string, string> = { "Content-Type": "application/json", Authorization: `Bearer ${apiKey}` };
  if (sessionToken) headers["X-HelpBot-Session"] = sessionToken;
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
  return headers;
}

/** The error of a request that got no response, or not all of it. */
export const unreachable = (cause: unknown) => new NetworkError("The server could not be reached.", { cause });

/** Whether the server or the way to it failed, so that the same request can succeed in a moment. Proxies respond with these statuses while the server is restarting. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof NetworkError || (error instanceof ApiError && /^UNAVAIL|_50[234]$/.test(error.code));

/** The delay before the next attempt, after this number of failures in a row: 2, 4, 8, and then 15 seconds each time. */
export const againAfterMs = (failures: number): number => Math.min(15_000, 2_000 * 2 ** failures);

export interface Reached {
  status: number;
  text: string;
}

/** Fetches `url` and reads the whole response within `timeoutMs`. Throws a `NetworkError` when it does not arrive in time. */
export async function reach(url: string, init: RequestInit, timeoutMs = TIMEOUT_MS): Promise<Reached> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    const response = await fetch(url, { ...init, signal: abort.signal, credentials: "omit", cache: "no-store" });
    return { status: response.status, text: await response.text() };
  } catch (cause) {
    throw unreachable(cause);
  } finally {
    clearTimeout(timer);
  }
}

interface Answer<Result> {
  data?: Result | null;
  errors?: ServerError[];
}

/** The error of a response with this status. */
export const apiErrorOf = ({ message, extensions }: ServerError, status: number): ApiError =>
  new ApiError(extensions?.code ?? `HTTP_${status}`, message, status, extensions?.retryAfter);

/** Sends one operation and returns its data. Throws an `ApiError` for the first error, or a `NetworkError`. */
export async function request<Result, Variables>(
  endpoint: string, credentials: Credentials, document: Doc<Result, Variables>, variables: Variables, idempotencyKey?: string,
): Promise<Result> {
  const headers = { ...headersOf(credentials, idempotencyKey), Accept: "application/graphql-response+json, application/json;q=0.9" };
  return resultOf(await reach(endpoint, { method: "POST", headers, body: JSON.stringify(requestOf(document, variables)) }));
}

/** Returns the data of a response. Throws its first error as an `ApiError`, or a `NetworkError` when it is cut off. */
export function resultOf<Result>({ status, text }: Reached): Result {
  let answer: Answer<Result> | null = null;
  try {
    answer = JSON.parse(text) as Answer<Result>;
  } catch (cause) {
    if (status < 300) throw unreachable(cause);
  }
  const error = answer?.errors?.[0];
  if (error) throw apiErrorOf(error, status);
  if (!answer?.data) throw new ApiError(`HTTP_${status}`, `The server responded with status ${status}.`, status);
  return answer.data;
}
