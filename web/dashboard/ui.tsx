// The components that every page uses: query states, form fields, confirmations, badges, times and secrets.

import { type Signal, signal, useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { ApiError, isUnreachable } from "../client/src/graphql";
import type { Doc } from "../client/src/document";
import { renderMarkdown } from "../text/markdown";
import { tabTitle } from "./attention";
import { live, run } from "./client";
import { Icon, type IconName } from "./icons";
import { labelOf } from "./labels";

export function sayError(error: unknown): string {
  if (isUnreachable(error)) return "The server could not be reached. Check your connection and try again.";
  if (error instanceof ApiError && error.code === "FORBIDDEN") return `Your key does not have permission for this. ${error.message}`;
  // The server was updated and executes only trusted documents, which are those of the new pages.
  if (error instanceof ApiError && error.code === "PERSISTED_QUERY_NOT_FOUND") return "The dashboard was updated. Reload the page.";
  return error instanceof Error ? error.message : String(error);
}

export interface Loaded<Result> {
  data: Result | null;
  /** Whether the data belongs to the variables of now. While others load, the data of those before is shown. */
  isCurrent: boolean;
  error: string;
  reload(): void;
}

/** A result with the variables that it belongs to. */
interface Keyed<Result> {
  result: Result;
  key: string;
}

/** Runs a query when its variables or the version of its data change. Keeps the previous result while the new one loads. */
export function useQuery<Result, Variables>(query: Doc<Result, Variables>, variables: Variables, version = ""): Loaded<Result> {
  const data = useSignal<Keyed<Result> | null>(null);
  const error = useSignal("");
  const turn = useSignal(0);
  const key = JSON.stringify([variables, version]);
  const round = turn.value;
  useEffect(() => {
    let isCurrent = true;
    run(query, variables).then((result) => {
      if (isCurrent) [data.value, error.value] = [{ result, key }, ""];
    }, (reason) => {
      if (isCurrent) error.value = sayError(reason);
    });
    return () => void (isCurrent = false);
  }, [key, round]);
  return { data: data.value?.result ?? null, isCurrent: data.value?.key === key, error: error.value, reload: () => void turn.value++ };
}

/** The result of a query with `@live`, which the server keeps current. Keeps the previous result while the variables change. */
export function useLive<Result, Variables>(query: Doc<Result, Variables>, variables: Variables): Loaded<Result> {
  const data = useSignal<Keyed<Result> | null>(null);
  const error = useSignal("");
  const turn = useSignal(0);
  const key = JSON.stringify(variables);
  const round = turn.value;
  useEffect(() => {
    let isCurrent = true;
    const show = (result: Result) => void (isCurrent && ([data.value, error.value] = [{ result, key }, ""]));
    const fail = (reason: unknown) => void (isCurrent && (error.value = sayError(reason)));
    const { stop } = live(query, variables, show, () => void run(query, variables).then(show, fail));
    return () => {
      isCurrent = false;
      stop();
    };
  }, [key, round]);
  return { data: data.value?.result ?? null, isCurrent: data.value?.key === key, error: error.value, reload: () => void turn.value++ };
}

/** The state of a mutation. `act` runs one at a time and stores the error message. */
export function useAction(): { isBusy: boolean; error: string; act(work: () => Promise<unknown>): Promise<boolean> } {
  const isBusy = useSignal(false);
  const error = useSignal("");
  const act = async (work: () => Promise<unknown>) => {
    if (isBusy.value) return false;
    [isBusy.value, error.value] = [true, ""];
    try {
      await work();
      return true;
    } catch (reason) {
      error.value = sayError(reason);
      return false;
    } finally {
      isBusy.value = false;
    }
  };
  return { isBusy: isBusy.value, error: error.value, act };
}

interface PageProps {
  title: string;
  /** A number that the heading shows after the title, unless it is 0. */
  count?: number;
  /** One sentence about the page. */
  about?: string;
  tools?: ComponentChildren;
  children: ComponentChildren;
}

export function Page({ title, count = 0, about, tools, children }: PageProps) {
  const inTab = tabTitle(title);
  useEffect(() => void (document.title = inTab), [inTab]);
  return (
    <>
      <header class="pagehead"><div><h1>{count ? `${title} (${count})` : title}</h1>{about && <p class="hint">{about}</p>}</div>{tools && <div class="tools">{tools}</div>}</header>
      <div class="content">{children}</div>
    </>
  );
}

/** The sign of HelpBot. */
export function Logo() {
  return <svg viewBox="0 0 24 24" aria-hidden="true" fill="currentColor"><path d="M12 3C6.5 3 2 6.7 2 11.2c0 2.4 1.3 4.6 3.4 6.1L4.6 21l4.3-1.9c1 .2 2 .4 3.1.4 5.5 0 10-3.7 10-8.3S17.5 3 12 3z" /></svg>;
}

/** Lines in place of content that is being loaded. */
export function Skeleton() {
  return <div class="skeleton" role="status"><span class="sr">Loading…</span><i /><i /><i /></div>;
}

/** The text of a button with an icon before it. */
export function Act({ icon, children }: { icon: IconName; children: ComponentChildren }) {
  return <><Icon name={icon} />{children}</>;
}

/** The cursors of the pages of a list from the first one to the current one. The first page has none. */
export type Trail = Array<string | null>;

/** The buttons that turn the pages of a list. Nothing when the list has only one page. */
export function Pager({ trail, info }: { trail: Signal<Trail>; info: { hasNextPage: boolean; endCursor: string | null } }) {
  if (trail.value.length < 2 && !info.hasNextPage) return null;
  const next = () => {
    // A second click before the next page has arrived must not turn two pages.
    if (trail.value.at(-1) !== info.endCursor) trail.value = [...trail.value, info.endCursor];
  };
  return (
    <nav class="pager row" aria-label="Pages of the list">
      <button type="button" disabled={trail.value.length < 2} onClick={() => void (trail.value = trail.value.slice(0, -1))}>Previous</button>
      <button type="button" disabled={!info.hasNextPage} onClick={next}>Next</button>
    </nav>
  );
}

export function Fault({ text }: { text: string }) {
  return text ? <p class="fault" role="alert">{text}</p> : null;
}

/** Says that a text has more characters than the server accepts. Fields cut no text, because what was pasted would be lost unnoticed. */
export function TooLong({ text, max }: { text: string; max: number }) {
  return text.trim().length > max ? <p class="fault" role="alert">{text.trim().length.toLocaleString()} of {max.toLocaleString()} characters. Shorten the text to send it.</p> : null;
}

export function Loading<T>({ of, children }: { of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  if (of.data) return <><Fault text={of.error} />{children(of.data)}</>;
  if (of.error) return <div class="empty"><Fault text={of.error} /><button type="button" onClick={of.reload}>Try again</button></div>;
  return <Skeleton />;
}

export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return <div class="empty"><h2>{title}</h2>{children}</div>;
}

type FieldProps = { label: string; hint?: ComponentChildren; children: (props: { id: string; "aria-describedby"?: string }) => JSX.Element };

export function Field({ label, hint, children }: FieldProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(hint ? { id, "aria-describedby": `${id}h` } : { id })}
      {hint && <p class="hint" id={`${id}h`}>{hint}</p>}
    </div>
  );
}

/** A form in a pane at the side, above the list that it changes. A click beside it does not close it, because what was typed would be lost. */
export function Drawer({ title, onClose, children }: { title: string; onClose(): void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog class="drawer" ref={dialog} aria-labelledby={id} onClose={onClose}>
      <header class="row between"><h2 id={id}>{title}</h2><button type="button" class="quiet square" aria-label="Close" onClick={() => dialog.current?.close()}><Icon name="x" /></button></header>
      {children}
    </dialog>
  );
}

/** A button that asks for confirmation in place before an action that takes effect at once and cannot be undone. */
export function Confirm({ label, about, question, onYes }: { label: string; about: string; question: string; onYes(): void }) {
  const isAsking = useSignal(false);
  if (!isAsking.value) return <button type="button" class="danger" aria-label={`${label} ${about}`} onClick={() => void (isAsking.value = true)}>{label}</button>;
  return (
    <span class="confirm" role="group" aria-label={question}>
      <span>{question}</span>
      <button type="button" class="danger solid" autofocus onClick={() => { isAsking.value = false; onYes(); }}>{label}</button>
      <button type="button" onClick={() => void (isAsking.value = false)}>Cancel</button>
    </span>
  );
}

/** A button that copies a text. Browsers without the clipboard API, for example on plain HTTP, copy a selection. */
export function Copy({ text }: { text: string }) {
  const hasCopied = useSignal(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = Object.assign(document.createElement("textarea"), { value: text });
      // An open dialog makes everything outside of it inert.
      (document.querySelector("dialog[open]") ?? document.body).append(field);
      field.select();
      const isDone = document.execCommand("copy");
      field.remove();
      if (!isDone) return;
    }
    hasCopied.value = true;
  };
  return <button type="button" class="solid" onClick={() => void copy()}><Act icon={hasCopied.value ? "check" : "copy"}>{hasCopied.value ? "Copied" : "Copy"}</Act></button>;
}

const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");

/** The tag that adds the widget to a page, with a button to copy it. `options` become attributes of the tag. */
export function WidgetTag({ apiKey, options = {} }: { apiKey: string; options?: Record<string, string> }) {
  const more = Object.entries(options).filter(([, value]) => value).map(([name, value]) => ` data-${name}="${escaped(value)}"`).join("");
  const tag = `<script src="${location.origin}/widget.js" data-api-key="${apiKey}"${more} async></script>`;
  return <><pre tabIndex={0} class="tag">{tag}</pre>{!apiKey.includes("…") && <div class="row"><Copy text={tag} /></div>}</>;
}

/** A secret that is shown only once, with a button to copy it. */
export function Secret({ title, value, onDone, children }: { title: string; value: string; onDone(): void; children?: ComponentChildren }) {
  return (
    <div class="secret" role="status">
      <h2>{title}</h2>
      <p>Copy it now. It is not stored and cannot be shown again.</p>
      <code tabIndex={0}>{value}</code>
      <div class="row">
        <Copy text={value} />
        <button type="button" onClick={onDone}>Done</button>
      </div>
      {children}
    </div>
  );
}

export function Markdown({ text }: { text: string }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.replaceChildren(renderMarkdown(text)), [text]);
  return <div class="markdown" dir="auto" ref={box} />;
}

const TONES: Record<string, string> = {
  INDEXED: "good", DELIVERED: "good", ANSWERED: "good", FETCHED: "good", HELPFUL: "good", RESOLVED: "good", FAILED: "bad", UNHELPFUL: "bad", DECLINED: "bad",
  SUGGESTED: "warn", REQUESTED: "warn", SKIPPED: "warn", SYNCING: "busy", PENDING: "busy", ASSIGNED: "busy",
};

/** The value of an enum as a small colored label. */
export function Badge({ value, children }: { value: string; children?: ComponentChildren }) {
  return <span class={`badge ${TONES[value] ?? ""}`}>{children ?? labelOf(value)}</span>;
}

/** The number in a field. It is null when the field is empty. */
export const numberOf = (text: string): number | null => (text.trim() === "" ? null : Number(text));

/** `2 pages`, `1 page`. */
export const counted = (n: number, noun: string) => `${n.toLocaleString()} ${noun}${n === 1 ? "" : "s"}`;

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
/** A time this close to the browser's clock counts as now, because the two clocks can differ. */
const SKEW_S = 5;
const STEPS: Array<[Intl.RelativeTimeFormatUnit, number]> = [["day", 86_400], ["hour", 3600], ["minute", 60]];

/** The current time for relative times. It advances while the page is open, so that a time never stays "just now". */
const clock = signal(Date.now());
const TICK_MS = 15_000;
setInterval(() => void (clock.value = Date.now()), TICK_MS);
document.addEventListener("visibilitychange", () => void (clock.value = Date.now()));

/** A past or future time in relative words, with the exact time as a tooltip. */
export function When({ at }: { at: string }) {
  const seconds = (Date.parse(at) - Math.max(clock.value, Date.now() - TICK_MS)) / 1000;
  const step = STEPS.find(([, size]) => Math.abs(seconds) >= size);
  const text = step && Math.abs(seconds) > 14 * 86_400 ? WHEN.format(new Date(at)) : step ? AGO.format(Math.round(seconds / step[1]), step[0]) : seconds > SKEW_S ? "in a moment" : "just now";
  return <time dateTime={at} title={WHEN.format(new Date(at))}>{text}</time>;
}
