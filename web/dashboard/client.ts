// Who is signed in, and the way to the server: requests over HTTP, one live socket through graphql-ws.
//
// The key lives in memory. Only if the agent asks for it, it is kept for this tab (sessionStorage); never
// longer. A refused key signs out at once and says why.

import { computed, signal } from "@preact/signals";
import { type Client, createClient } from "graphql-ws";
import { type Scope, type ViewerResult, Activity, type ActivityResult, EventCursor, Viewer, Watch, type WatchResult, supports } from "../generated/dashboard";
import type { Doc } from "../live/document";
import { type Following, type State, type Transport, follow } from "../live/follow";
import { ApiError, headersOf, reach, request, resultOf } from "../live/graphql";
import { socketUrl } from "../live/socket";
import { sseTransport } from "../live/sse";

const ENDPOINT = `${location.origin}/graphql`;
const KEPT_KEY = "helpbot:key";

export type SignedIn = ViewerResult["viewer"];
export type WatchEvent = WatchResult["conversationEvents"];

const apiKey = signal<string | null>(null);
export const viewer = signal<SignedIn | null>(null);
/** The site on the desk: the key's own, or the one that an operator chose. */
export const site = signal<{ id: string; name: string; plan: string } | null>(null);
export const signOutReason = signal("");
/** Whether the first look for a kept key is over. */
export const isReady = signal(false);

/** Full keys list no scopes that they lack; the server decides, this only hides what it would refuse. */
export const may = (scope: Scope) => computed(() => {
  const scopes = viewer.value?.scopes ?? [];
  return viewer.value?.kind === "OPERATOR" || scopes.includes(scope) || scopes.includes("ADMIN");
}).value;

/** Tries the key; on success it is the signed-in one. Throws what the server said. */
export async function signIn(key: string, isKept: boolean): Promise<void> {
  const { viewer: found } = await request(ENDPOINT, { apiKey: key }, Viewer, {});
  if (found.kind === "WIDGET") throw new ApiError("FORBIDDEN", "That is a widget key, for visitors. Sign in with a secret key (sk_…) or a member's key (pat_…).", 403);
  apiKey.value = key;
  viewer.value = found;
  site.value = found.site;
  signOutReason.value = "";
  if (isKept) kept()?.setItem(KEPT_KEY, key);
}

export function signOut(reason = ""): void {
  kept()?.removeItem(KEPT_KEY);
  void socket?.dispose();
  socket = null;
  apiKey.value = viewer.value = site.value = null;
  signOutReason.value = reason;
}

export async function resume(): Promise<void> {
  const key = kept()?.getItem(KEPT_KEY);
  if (key) await signIn(key, true).catch(() => signOut("Please sign in again."));
  isReady.value = true;
}

function kept(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

/** Runs one operation as the signed-in agent; a refused key signs out. */
export function run<Result, Variables>(query: Doc<Result, Variables>, variables: Variables, idempotencyKey?: string): Promise<Result> {
  return asAgent(() => request(ENDPOINT, { apiKey: apiKey.value ?? "" }, query, variables, idempotencyKey));
}

async function asAgent<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiError && error.code === "UNAUTHENTICATED") signOut("The key was refused: it may have been revoked or have ended.");
    throw error;
  }
}

interface UserError {
  message: string;
  code: string;
}

/** Runs a mutation whose only field is a payload; its first user error is thrown as one. */
export async function change<Payload extends { userErrors: UserError[] }, Variables>(
  mutation: Doc<{ [field: string]: Payload }, Variables>, variables: Variables, idempotencyKey?: string,
): Promise<Payload> {
  return accepted(await run(mutation, variables, idempotencyKey));
}

function accepted<Payload extends { userErrors: UserError[] }>(result: { [field: string]: Payload }): Payload {
  const payload = Object.values(result)[0]!;
  const refusal = payload.userErrors[0];
  if (refusal) throw new ApiError(refusal.code, refusal.message, 200);
  return payload;
}

/** The largest file that the server takes, over a slow line. */
const UPLOAD_MS = 120_000;

/** Runs a mutation whose input has a `file`, sent as the GraphQL multipart request specification says. */
export async function upload<Payload extends { userErrors: UserError[] }, Input extends { file: null }>(
  mutation: Doc<{ [field: string]: Payload }, { input: Input }>, input: Omit<Input, "file">, file: File,
): Promise<Payload> {
  const body = new FormData();
  body.set("operations", JSON.stringify({ query: mutation, variables: { input: { ...input, file: null } } }));
  body.set("map", JSON.stringify({ 0: ["variables.input.file"] }));
  body.set("0", file);
  const { "Content-Type": _, ...headers } = headersOf({ apiKey: apiKey.value ?? "" }, crypto.randomUUID());
  const init = { method: "POST", body, headers: { ...headers, Accept: "application/json", "GraphQL-Require-Preflight": "1" } };
  return accepted(await asAgent(async () => resultOf<{ [field: string]: Payload }>(await reach(`${ENDPOINT}/upload`, init, UPLOAD_MS))));
}

let socket: Client | null = null;
/** The socket outlives a page's subscription for a moment; the next one then finds it open. */
let isConnected = false;

function live(): Client {
  socket ??= createClient({
    url: socketUrl(ENDPOINT), retryAttempts: 0, keepAlive: 15_000, lazyCloseTimeout: 1000,
    connectionParams: () => ({ apiKey: apiKey.value, authorization: `Bearer ${apiKey.value}` }),
    on: { connected: () => (isConnected = true), closed: () => (isConnected = false) },
  });
  return socket;
}

/** Where the log of a site's events ends now: who reads the state after asking, and follows from here, misses nothing.
 * Null when it cannot be had: then the state is read again when the stream opens. */
export const eventCursor = (siteId: string): Promise<string | null> =>
  run(EventCursor, { site: siteId }).then(({ site: found }) => found?.eventCursor ?? null, () => null);

/** A stream that starts without a cursor may miss what happened while it opened: state is read again after this. */
const SECOND_LOOK_MS = 3000;

/** One subscription over graphql-ws as a transport; `follow` does the reconnecting, by cursor. */
const overSocket = (siteId: string): Transport<WatchEvent> => (after, listener) => {
  let isOver = false;
  const client = live();
  const stopListening = client.on("connected", () => queueMicrotask(() => isOver || listener.opened()));
  if (isConnected) queueMicrotask(() => isOver || listener.opened());
  const end = (code?: string) => {
    if (isOver) return;
    isOver = true;
    stopListening();
    listener.closed(code);
  };
  const stop = client.subscribe<WatchResult>({ query: Watch, variables: { site: siteId, after } }, {
    next: ({ data, errors }) => {
      if (errors?.length) end(String(errors[0]!.extensions?.["code"] ?? "INTERNAL"));
      else if (data) listener.event(data.conversationEvents);
    },
    error: (error) => end(Array.isArray(error) ? String(error[0]?.extensions?.code ?? "INTERNAL") : undefined),
    complete: () => end(),
  });
  return () => {
    isOver = true;
    stopListening();
    stop();
  };
};

type Presence = ActivityResult["conversationActivity"];

/** Tells who is there in a conversation, until stopped; silent where the connection is lost. */
export function watchActivity(siteId: string, id: string, on: (now: Presence) => void): () => void {
  if (!supports.Activity) return () => {};
  return live().subscribe<ActivityResult>({ query: Activity, variables: { site: siteId, id } }, {
    next: ({ data }) => data && on(data.conversationActivity), error: () => {}, complete: () => {},
  });
}

/** Follows the site's events after a cursor until stopped; goes on after breaks from the last one. */
export function watch(siteId: string, after: string | null, on: { event(e: WatchEvent): void; state(s: State): void; gap(): void }): Following {
  const credentials = () => ({ apiKey: apiKey.value ?? "" });
  let secondLook: ReturnType<typeof setTimeout> | undefined;
  const following = follow<WatchEvent>([overSocket(siteId), sseTransport(ENDPOINT, credentials, Watch, () => ({ site: siteId }))], {
    after, onEvent: on.event, onState: on.state,
    onGap: () => {
      on.gap();
      secondLook = setTimeout(on.gap, SECOND_LOOK_MS);
    },
  });
  const wake = () => following.wake();
  const rest = () => on.state("waiting");
  addEventListener("online", wake);
  addEventListener("offline", rest);
  return {
    ...following,
    stop: () => {
      removeEventListener("online", wake);
      removeEventListener("offline", rest);
      clearTimeout(secondLook);
      following.stop();
    },
  };
}
