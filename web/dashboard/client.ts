// The signed-in user and the connection to the server, through the package in `client/`.
//
// The API key stays in memory. When the user asks for it, the key is also stored for this tab (sessionStorage)
// and never longer. A rejected key signs the user out at once and shows the reason.

import { computed, signal } from "@preact/signals";
import { type Scope, type ViewerResult, Activity, type ActivityResult, EventCursor, Viewer, Watch, type WatchResult } from "../generated/dashboard";
import { forgetWriting } from "./drafts";
import { withoutFieldNames } from "./labels";
import { createClient } from "../client/src/client";
import { type Doc, requestOf } from "../client/src/document";
import type { Following, State } from "../client/src/follow";
import { newId } from "../client/src/id";
import { ApiError, headersOf, isUnreachable, reach, request, resultOf } from "../client/src/graphql";

const ENDPOINT = `${location.origin}/graphql`;
const KEPT_KEY = "helpbot:key";
const BROWSER_KEY = "helpbot:browser";

export type SignedIn = ViewerResult["viewer"];
export type WatchEvent = WatchResult["conversationEvents"];

const apiKey = signal<string | null>(null);
const server = createClient({ url: location.origin, key: () => apiKey.value ?? "" });
export const viewer = signal<SignedIn | null>(null);
/** The selected site: the site of the key, or the site that an operator chose. */
export const site = signal<{ id: string; name: string; plan: string } | null>(null);
export const signOutReason = signal("");
/** Whether the check for a stored key has finished. */
export const isReady = signal(false);

/** Whether the signed-in key has `scope`. The server decides; the dashboard only hides what the server would reject. */
export const may = (scope: Scope) => computed(() => {
  const scopes = viewer.value?.scopes ?? [];
  return viewer.value?.kind === "OPERATOR" || scopes.includes(scope) || scopes.includes("ADMIN");
}).value;

/** Signs in with `key`. Throws the server's error when the key is rejected. */
export async function signIn(key: string, isKept: boolean): Promise<void> {
  const { viewer: found } = await request(ENDPOINT, { apiKey: key }, Viewer, {});
  if (found.kind === "WIDGET") throw new ApiError("FORBIDDEN", "This is a widget key, which is meant for visitors. Sign in with a secret key (sk_…) or a member key (pat_…).", 403);
  apiKey.value = key;
  viewer.value = found;
  site.value = found.site;
  signOutReason.value = "";
  if (isKept) kept()?.setItem(KEPT_KEY, key);
}

export function signOut(reason = ""): void {
  forgetWriting();
  kept()?.removeItem(KEPT_KEY);
  apiKey.value = viewer.value = site.value = null;
  signOutReason.value = reason;
}

export async function resume(): Promise<void> {
  const key = kept()?.getItem(KEPT_KEY);
  if (key) await signIn(key, true).catch((error) => {
    // The key is kept while the server cannot be reached.
    if (isUnreachable(error)) signOutReason.value = "The server could not be reached. Reload the page to try again.";
    else signOut("Your sign-in has expired. Please sign in again.");
  });
  isReady.value = true;
}

/** The token of a mailed link, with which the page was opened. It leaves the address bar and the history at once. */
export const linkToken = signal(takeToken());

function takeToken(): string {
  const token = /^#sign-in=([\w-]+)$/.exec(location.hash)?.[1] ?? "";
  if (token) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/** The secret of this browser, to which mailed links are bound. Without storage it lasts as long as the page. */
const browser = ((): string => {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const fresh = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    const known = localStorage.getItem(BROWSER_KEY);
    if (known) return known;
    localStorage.setItem(BROWSER_KEY, fresh);
  } catch {
    // A link can then be opened only in this tab.
  }
  return fresh;
})();

const post = async <Result>(path: string, body: object): Promise<Result> =>
  resultOf<Result>(await reach(`${location.origin}${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));

/** Mails a link to `email` when a member has the address. The server does not say whether one has. */
export const mailLink = (email: string): Promise<unknown> => post("/sign-in/link", { email, browser });

/** Signs in with the mailed link of this page, until the tab is closed. */
export async function openLink(): Promise<void> {
  const { key } = await post<{ key: string }>("/sign-in/complete", { token: linkToken.value, browser });
  await signIn(key, true);
  linkToken.value = "";
}

function kept(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

/** Runs one operation with the key of the signed-in user. A rejected key signs the user out. */
export function run<Result, Variables>(query: Doc<Result, Variables>, variables: Variables, idempotencyKey?: string): Promise<Result> {
  return asAgent(() => server.run(query, variables, idempotencyKey ? { idempotencyKey } : {}));
}

/**
 * Calls `onResult` with the result of a query with `@live`, and again after each change, until it is stopped.
 * `onRefused` is called when the server refuses it; running the query gives the reason.
 */
export const live = <Result, Variables>(query: Doc<Result, Variables>, variables: Variables, onResult: (result: Result) => void, onRefused: () => void): Following =>
  server.live(query, variables, onResult, (state) => state === "refused" && onRefused());

async function asAgent<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApiError && error.code === "UNAUTHENTICATED") signOut("The key was rejected. It may have been revoked or may have expired.");
    throw error;
  }
}

interface UserError {
  message: string;
  code: string;
  field?: string[] | null;
}

/** Runs a mutation with a single field. Throws the first of its user errors as an `ApiError`. */
export async function change<Payload extends { userErrors: UserError[] }, Variables>(
  mutation: Doc<{ [field: string]: Payload }, Variables>, variables: Variables, idempotencyKey?: string,
): Promise<Payload> {
  return accepted(await run(mutation, variables, idempotencyKey));
}

function accepted<Payload extends { userErrors: UserError[] }>(result: { [field: string]: Payload }): Payload {
  const payload = Object.values(result)[0]!;
  const refusal = payload.userErrors[0];
  if (refusal) throw new ApiError(refusal.code, withoutFieldNames(refusal.message, refusal.field?.at(-1)), 200);
  return payload;
}

/** Long enough to upload the largest accepted file over a slow connection. */
const UPLOAD_MS = 120_000;

/** Runs a mutation whose input has a `file`, as defined by the GraphQL multipart request specification. */
export async function upload<Payload extends { userErrors: UserError[] }, Input extends { file: null }>(
  mutation: Doc<{ [field: string]: Payload }, { input: Input }>, input: Omit<Input, "file">, file: File,
): Promise<Payload> {
  const body = new FormData();
  body.set("operations", JSON.stringify(requestOf(mutation, { input: { ...input, file: null } })));
  body.set("map", JSON.stringify({ 0: ["variables.input.file"] }));
  body.set("0", file);
  const { "Content-Type": _, ...headers } = headersOf({ apiKey: apiKey.value ?? "" }, newId());
  const init = { method: "POST", body, headers: { ...headers, Accept: "application/json", "GraphQL-Require-Preflight": "1" } };
  return accepted(await asAgent(async () => resultOf<{ [field: string]: Payload }>(await reach(`${ENDPOINT}/upload`, init, UPLOAD_MS))));
}

/**
 * The current end of the site's event log. A client that gets this cursor, then reads the state, then subscribes
 * from the cursor misses nothing. Null when the request failed; the state is then read again when the stream opens.
 */
export const eventCursor = (siteId: string): Promise<string | null> =>
  run(EventCursor, { site: siteId }).then(({ site: found }) => found?.eventCursor ?? null, () => null);

/** A stream without a cursor can miss events while it opens, so the state is read again after this delay. */
const SECOND_LOOK_MS = 3000;

type Presence = ActivityResult["conversationActivity"];

/** Reports who is present in a conversation until the returned function is called. Reports nothing while the connection is lost. */
export function watchActivity(siteId: string, id: string, on: (now: Presence) => void): () => void {
  return server.follow(Activity, { site: siteId, id }, { onEvent: on }).stop;
}

/** Follows the site's events after a cursor until stopped. After a lost connection it continues from the last cursor. */
export function watch(siteId: string, after: string | null, on: { event(e: WatchEvent): void; state(s: State): void; gap(): void }): Following {
  let secondLook: ReturnType<typeof setTimeout> | undefined;
  const following = server.follow(Watch, { site: siteId }, {
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
