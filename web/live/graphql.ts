// One GraphQL request over HTTP, and what can go wrong with it. Used by the widget and the dashboard.
// It never retries: callers know which operations may be repeated.

import type { Doc } from "./document";

/** How a caller proves who it is; a visitor has both, an agent only the key. */
export interface Credentials {
  apiKey: string;
  sessionToken?: string | null;
}

/** A failure the server spoke of: `code` is its closed error code, or `HTTP_<status>` when it gave none. */
export class ApiError extends Error {
  constructor(readonly code: string, message: string, readonly status: number) {
    super(message);
    this.name = "ApiError";
  }
}

/** The server was not reached, or stopped answering. */
export class NetworkError extends Error {
  override name = "NetworkError";
}

const TIMEOUT_MS = 30_000;

/** `idempotencyKey` lets the same request be sent again without being done again. */
export function headersOf({ apiKey, sessionToken }: Credentials, idempotencyKey?: string): Record<string, string> {
  const headers: Record<string, string> = { "Content-Type": "application/json", Authorization: `Bearer ${apiKey}` };
  if (sessionToken) headers["X-HelpBot-Session"] = sessionToken;
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
  return headers;
}

/** Fetches `url` within the deadline; any failure to reach it is a `NetworkError`. */
export async function reach(url: string, init: RequestInit, timeoutMs = TIMEOUT_MS): Promise<Response> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    return await fetch(url, { ...init, signal: abort.signal, credentials: "omit", cache: "no-store" });
  } catch (cause) {
    throw new NetworkError("The server could not be reached", { cause });
  } finally {
    clearTimeout(timer);
  }
}

interface Answer<Result> {
  data?: Result | null;
  errors?: Array<{ message: string; extensions?: { code?: string } }>;
}

/** Sends one operation; gives its data, or throws `ApiError` for the first error, or `NetworkError`. */
export async function request<Result, Variables>(
  endpoint: string, credentials: Credentials, query: Doc<Result, Variables>, variables: Variables, idempotencyKey?: string,
): Promise<Result> {
  const headers = { ...headersOf(credentials, idempotencyKey), Accept: "application/graphql-response+json, application/json;q=0.9" };
  return resultOf(await reach(endpoint, { method: "POST", headers, body: JSON.stringify({ query, variables }) }));
}

/** The data of an answer, or its first error. */
export async function resultOf<Result>(response: Response): Promise<Result> {
  const answer = await response.json().catch(() => null) as Answer<Result> | null;
  const error = answer?.errors?.[0];
  if (error) throw new ApiError(error.extensions?.code ?? `HTTP_${response.status}`, error.message, response.status);
  if (!answer?.data) throw new ApiError(`HTTP_${response.status}`, `The server answered ${response.status}`, response.status);
  return answer.data;
}
