// The live inbox: who is waiting for a human, and the conversation with them, without reloading.
//
// The end of the site's log is asked for, then state is read once and kept true by the events from there on;
// after a break the stream goes on from its cursor, and where that is not possible the state is read again.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Assign, Inbox, type Line, Reopen, Reply, Resolve, type Row, SetTyping, Thread, supports } from "../../generated/dashboard";
import type { Following, State } from "../../live/follow";
import { type WatchEvent, change, eventCursor, may, run, site, viewer, watch, watchActivity } from "../client";
import { type Outbox, outbox } from "../outbox";
import { go, pathOf, route } from "../route";
import { Badge, Empty, Fault, Markdown, Page, When, sayError, useAction } from "../ui";

/** The server forgets that somebody types after six seconds. */
const TYPING_MS = 3000;
const FILTERS = [["waiting", "Waiting"], ["mine", "With the team"], ["all", "All"]] as const;
type Filter = (typeof FILTERS)[number][0];

const isOpen = (row: Row) => row.handoff !== null && row.handoff.status !== "RESOLVED";
const fits: Record<Filter, (row: Row) => boolean> = {
  waiting: (row) => row.handoff?.status === "REQUESTED",
  mine: (row) => row.handoff?.status === "ASSIGNED",
  all: () => true,
};

/** Rows by id, newest change first. */
function merged(rows: Row[], fresh: Row[]): Row[] {
  const byId = new Map([...rows, ...fresh].map((row) => [row.id, row]));
  return [...byId.values()].sort((a, b) => b.updatedAt.localeCompare(a.updatedAt));
}

export function InboxPage() {
  const rows = useSignal<Row[] | null>(null);
  const error = useSignal("");
  const state = useSignal<State>("connecting");
  const filter = useSignal<Filter>("waiting");
  const heard = useSignal<WatchEvent | null>(null);
  const hasSound = useSignal(false);
  const openId = route.value.query.get("open");
  const siteId = site.value!.id;

  useEffect(() => {
    const load = () => run(Inbox, { site: siteId }).then(({ site: found }) => {
      rows.value = merged(rows.value ?? [], [...found?.recent?.nodes ?? [], ...found?.handed?.nodes ?? []]);
      error.value = "";
    }, (reason) => void (error.value = sayError(reason)));
    let following: Following | null = null;
    let isGone = false;
    const begin = (after: string | null) => {
      if (isGone) return;
      void load();
      following = watch(siteId, after, callbacks);
    };
    const callbacks = {
      event: (event: WatchEvent) => {
        if (event.conversation) rows.value = merged(rows.value ?? [], [event.conversation]);
        if (event.type === "CONVERSATION_HANDOFF" && hasSound.value) beep();
        heard.value = event;
      },
      state: (now: State) => void (state.value = now),
      gap: () => void load(),
    };
    void eventCursor(siteId).then(begin);
    return () => {
      isGone = true;
      following?.stop();
    };
  }, [siteId]);

  const waiting = rows.value?.filter(fits.waiting).length ?? 0;
  const shown = rows.value?.filter(fits[filter.value]) ?? [];
  const tools = (
    <>
      <label class="check"><input type="checkbox" checked={hasSound.value} onChange={(e) => void (hasSound.value = e.currentTarget.checked)} />Sound</label>
      <span class={`pulse ${state.value}`} role="status">{state.value === "live" ? "Live" : state.value === "refused" ? "Not allowed" : "Reconnecting…"}</span>
    </>
  );
  return (
    <Page title={waiting ? `Inbox (${waiting})` : "Inbox"} tools={tools}>
      <Fault text={error.value} />
      <div class={`inbox ${openId ? "reading" : ""}`}>
        <section class="list" aria-label="Conversations">
          <div class="tabs" role="group" aria-label="Show">
            {FILTERS.map(([name, text]) => (
              <button key={name} type="button" aria-pressed={filter.value === name} onClick={() => void (filter.value = name)}>{text}{name === "waiting" && waiting > 0 ? ` (${waiting})` : ""}</button>))}
          </div>
          {rows.value && shown.length === 0 && <Nobody filter={filter.value} />}
          <ul class="plain">{shown.map((row) => (
            <li key={row.id}><a class="entry" href={pathOf("inbox", { open: row.id })} aria-current={row.id === openId ? "true" : undefined}>
              <strong dir="auto">{row.question}</strong>
              <span class="row hint"><When at={row.updatedAt} />{row.handoff ? <Badge value={row.handoff.status} /> : <Badge value={row.outcome} />}</span>
            </a></li>))}
          </ul>
        </section>
        {openId ? <Conversation key={openId} id={openId} heard={heard} state={state} rows={rows} /> : <section class="thread nothing"><p>Choose a conversation to read and answer it.</p></section>}
      </div>
    </Page>
  );
}

function Nobody({ filter }: { filter: Filter }) {
  if (filter === "all") return <Empty title="No conversations yet"><p>Put the widget on a page; questions appear here as they are asked.</p></Empty>;
  return <Empty title={filter === "waiting" ? "Nobody is waiting" : "None taken"}><p>When a visitor asks for a human, it appears here at once.</p></Empty>;
}

interface ConversationProps {
  id: string;
  heard: Signal<WatchEvent | null>;
  state: Signal<State>;
  rows: Signal<Row[] | null>;
}

function Conversation({ id, heard, state, rows }: ConversationProps) {
  const lines = useSignal<Line[]>([]);
  const extra = useSignal<Row | null>(null);
  const text = useSignal("");
  const { isBusy, error, act } = useAction();
  const log = useRef<HTMLDivElement>(null);
  const row = rows.value?.find((one) => one.id === id) ?? extra.value;
  const add = (fresh: Line[]) => {
    const byId = new Map([...lines.value, ...fresh].map((line) => [line.id, line]));
    lines.value = [...byId.values()].sort((a, b) => a.seq - b.seq);
  };
  const load = () => run(Thread, { id }).then(({ node }) => {
    if (node?.id) extra.value = node as Row;
    add(node?.messages?.nodes ?? []);
  }, () => {});
  useEffect(() => void load(), [id]);
  const store = (fresh: Row | null) => {
    if (fresh) rows.value = merged(rows.value ?? [], [fresh]);
  };
  const input = { conversationId: id, siteId: site.value!.id };
  const unsent = useMemo(() => outbox(async (words, key) => {
    const { message } = await change(Reply, { input: { ...input, text: words } }, key);
    if (message) add([message]);
  }, sayError), [id]);
  useEffect(() => state.subscribe((now) => void (now === "live" && unsent.again())), [unsent]);
  useEffect(() => heard.subscribe((event) => {
    // Our own line comes with the answer to it: here it would stand beside the one that is still on its way.
    const isOurs = event?.message?.author === "AGENT" && unsent.lines.peek().some(({ text: words, fault }) => !fault && words === event.message?.text);
    if (event?.conversationId === id && event.message && !isOurs) add([event.message]);
  }), [unsent]);
  useEffect(() => {
    // After the lines have drawn their text.
    requestAnimationFrame(() => log.current?.scrollTo(0, log.current.scrollHeight));
  }, [lines.value.length, unsent.lines.value]);
  const presence = useSignal({ isVisitorHere: false, isVisitorTyping: false });
  const isConnected = state.value === "live";
  useEffect(() => {
    if (!isConnected) return undefined;
    const stop = watchActivity(input.siteId, id, (now) => void (presence.value = now));
    return () => {
      stop();
      presence.value = { isVisitorHere: false, isVisitorTyping: false };
    };
  }, [id, isConnected]);
  const toldAt = useRef(0);
  const tell = (isTyping: boolean) => {
    if (!supports.SetTyping || !isConnected || (isTyping && Date.now() - toldAt.current < TYPING_MS)) return;
    toldAt.current = isTyping ? Date.now() : 0;
    run(SetTyping, { input: { ...input, isTyping } }).catch(() => {});
  };
  const send = (event: Event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words) return;
    text.value = "";
    tell(false);
    unsent.write(words);
  };
  if (!row) return <section class="thread nothing"><p role="status">Loading…</p></section>;
  const canWrite = may("WRITE_CONVERSATIONS");
  return (
    <section class="thread" aria-label="Conversation">
      <header>
        <button type="button" class="back" onClick={() => go(pathOf("inbox"))}>Back</button>
        <div class="about">
          <h2 dir="auto">{row.question}</h2>
          <p class="hint row">{row.handoff && <Badge value={row.handoff.status} />}{row.handoff?.assignee && <span>with {row.handoff.assignee.name}</span>}
            {row.handoff?.customerEmail && <a href={`mailto:${row.handoff.customerEmail}`}>{row.handoff.customerEmail}</a>}
            {presence.value.isVisitorHere && <span class="pulse live">{presence.value.isVisitorTyping ? "is typing…" : "is here"}</span>}</p>
        </div>
        {canWrite && row.handoff && (
          <div class="row">
            {row.handoff.status === "REQUESTED" && viewer.value?.member && <button type="button" disabled={isBusy} onClick={() => void act(async () => store((await change(Assign, { input })).conversation))}>Take</button>}
            {isOpen(row) && <button type="button" disabled={isBusy} onClick={() => void act(async () => store((await change(Resolve, { input })).conversation))}>Resolve</button>}
            {row.handoff.status === "RESOLVED" && <button type="button" disabled={isBusy} onClick={() => void act(async () => store((await change(Reopen, { input })).conversation))}>Reopen</button>}
          </div>)}
      </header>
      <div class="lines" ref={log} role="log" aria-label="Messages" tabIndex={0}>
        {lines.value.map((line) => (
          <article key={line.id} class={`line ${line.author.toLowerCase()}`}>
            <p class="hint">{line.author === "AGENT" ? line.agentName ?? "Team" : line.author === "BOT" ? "HelpBot" : "Visitor"} · <When at={line.createdAt} /></p>
            <Markdown text={line.text} />
          </article>))}
        <UnsentLines of={unsent} onDiscard={() => void load()} />
      </div>
      <Fault text={error} />
      {canWrite && isOpen(row)
        ? <form class="reply" onSubmit={send}>
          <textarea aria-label="Your answer" rows={2} maxLength={4000} value={text.value} placeholder="Write to the visitor…" dir="auto"
            onInput={(e) => { text.value = e.currentTarget.value; tell(text.value !== ""); }}
            onKeyDown={(e) => { if (e.key === "Enter" && (e.metaKey || e.ctrlKey)) send(e); }} />
          <button type="submit" class="solid">Send</button>
        </form>
        : <p class="hint closing">{row.handoff ? "This conversation is closed." : "The visitor has not asked for a human, so there is nobody to write to."}</p>}
    </section>
  );
}

/** What the server has not taken yet, with what to do about it. */
function UnsentLines({ of, onDiscard }: { of: Outbox; onDiscard(): void }) {
  return (
    <>{of.lines.value.map(({ key, text, fault, isOffline }) => (
      <article key={key} class="line agent unsent">
        <p class="hint">{fault ? "Not sent" : "Sending…"}</p>
        <Markdown text={text} />
        {fault && (
          <div class="row">
            <p class="fault" role="alert">{isOffline ? "No connection. It is sent as soon as there is one." : fault}</p>
            <button type="button" onClick={() => of.again(key)}>Try again</button>
            <button type="button" onClick={() => { of.discard(key); onDiscard(); }}>Discard</button>
          </div>)}
      </article>))}
    </>
  );
}

/** Two soft notes; only after the agent switched sound on, so the browser lets it through. */
function beep(): void {
  const audio = new AudioContext();
  [660, 880].forEach((pitch, i) => {
    const [tone, gain] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = pitch;
    gain.gain.value = 0.05;
    tone.connect(gain).connect(audio.destination);
    tone.start(audio.currentTime + i * 0.16);
    tone.stop(audio.currentTime + i * 0.16 + 0.14);
  });
  setTimeout(() => void audio.close(), 1000);
}
