// One conversation in the inbox: its messages from the first to the last, the state of its handoff, and the reply.

import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { Assign, Block, type Draft, type Line, MarkRead, Reopen, Resolve, type Row, SetTyping, type TeamNote, Thread as ThreadQuery, Unblock } from "../../generated/dashboard";
import { isUnreachable } from "../../client/src/graphql";
import { isOfInputMethod } from "../../text/keys";
import { mailtoHref } from "../../text/markdown";
import { change, may, run, site, viewer, watchActivity } from "../client";
import { draftOf, keepDraft, noteOf } from "../drafts";
import { Icon } from "../icons";
import { merged, refreshed } from "../lines";
import { liveState, marked, onEvent, onStale } from "../live";
import type { Outbox } from "../outbox";
import { onReply, repliesTo } from "../replies";
import { withParams } from "../route";
import { enterSends } from "../settings";
import { done } from "../toasts";
import { CannedMenu } from "./canned";
import { DraftButton, Drafted, KeepAsEntry, keepAsEntry } from "./draft";
import { Note, NoteForm, useNotes } from "./notes";
import { Act, Badge, Fault, Markdown, Skeleton, TooLong, When, sayError, useAction } from "../ui";

/** The server forgets that somebody is typing after six seconds. */
const TYPING_MS = 3000;
const PAGE_SIZE = 50;
/** The server accepts no longer message. */
const MESSAGE_MAX = 4000;
/** A list of messages that is scrolled this close to its end follows new messages. */
const NEAR_END_PX = 80;
/** Messages that could not be marked as read are marked again after this time. */
const MARK_AGAIN_MS = 10_000;

type Presence = { isVisitorHere: boolean; isVisitorTyping: boolean; typingMembers: string[] };

const isOpen = (row: Row) => row.handoff !== null && row.handoff.status !== "RESOLVED";

/** The conversation and its messages. They are read once and then kept current by events. */
function useThread(id: string, unsent: Outbox) {
  const row = useSignal<Row | null>(null);
  const lines = useSignal<Line[]>([]);
  const earlier = useSignal<string | null>(null);
  const error = useSignal("");
  const isMissing = useSignal(false);
  const load = async (before: string | null) => {
    const { node } = await run(ThreadQuery, { id, last: PAGE_SIZE, before });
    if (!node?.id) return void (isMissing.value = true);
    // An event that arrived meanwhile can be newer.
    if (!row.value || node.updatedAt! >= row.value.updatedAt) row.value = node as Row;
    const isFirst = lines.value.length === 0;
    const found = node.messages?.nodes ?? [];
    const { lines: all, hasGap } = before ? { lines: merged(lines.value, found), hasGap: false } : refreshed(lines.value, found);
    lines.value = all;
    if (before || isFirst || hasGap) earlier.value = node.messages?.pageInfo.hasPreviousPage ? node.messages.pageInfo.startCursor : null;
    error.value = "";
  };
  const read = (before: string | null) => void load(before).catch((reason) => void (error.value = sayError(reason)));
  useEffect(() => {
    read(null);
    const stop = [onStale(() => read(null)), onReply((of, line) => of === id && (lines.value = merged(lines.value, [line]))), onEvent((event) => {
      if (event.conversationId !== id) return;
      if (event.conversation) row.value = event.conversation;
      // The response to a reply delivers the message as well. Until then the unsent message is shown in its place.
      const isOurs = event.message?.author === "AGENT" && unsent.lines.peek().some(({ text, fault }) => !fault && text === event.message?.text);
      if (event.message && !isOurs) lines.value = merged(lines.value, [event.message]);
    })];
    return () => stop.forEach((end) => end());
  }, [id]);
  // The first read can fail while the connection is lost.
  const isLive = liveState.value === "live";
  useEffect(() => {
    if (isLive && error.value) read(null);
  }, [isLive]);
  return { row, lines, earlier: earlier.value, error: error.value, isMissing: isMissing.value, read };
}

/** Marks the messages of the visitor as read while the agent looks at them. */
function useReading(siteId: string, id: string, lines: Line[]): void {
  const isRead = useRef(0);
  const newest = lines.findLast(({ author }) => author === "VISITOR")?.seq ?? 0;
  useEffect(() => {
    let again: ReturnType<typeof setTimeout> | undefined;
    let isGone = false;
    const mark = () => {
      if (document.visibilityState === "hidden" || newest <= isRead.current || !may("WRITE_CONVERSATIONS")) return;
      isRead.current = newest;
      change(MarkRead, { input: { conversationId: id, siteId, seq: newest } }).then(({ conversation }) => conversation && marked(conversation), (error) => {
        if (!isUnreachable(error) || isRead.current > newest) return;
        isRead.current = 0;
        if (!isGone) again = setTimeout(mark, MARK_AGAIN_MS);
      });
    };
    mark();
    document.addEventListener("visibilitychange", mark);
    return () => {
      isGone = true;
      clearTimeout(again);
      document.removeEventListener("visibilitychange", mark);
    };
  }, [id, newest]);
}

function usePresence(siteId: string, id: string): ReadonlySignal<Presence | null> {
  const presence = useSignal<Presence | null>(null);
  const isConnected = liveState.value === "live";
  useEffect(() => {
    if (!isConnected) return undefined;
    const stop = watchActivity(siteId, id, (now) => void (presence.value = now));
    return () => {
      stop();
      presence.value = null;
    };
  }, [id, isConnected]);
  return presence;
}

interface ThreadProps {
  id: string;
  /** Reports the conversation whenever it changes. */
  onRow(row: Row | null): void;
  /** Buttons of the page in the head of the conversation. */
  tools: ComponentChildren;
}

export function Thread({ id, onRow, tools }: ThreadProps) {
  const siteId = site.value!.id;
  const unsent = useMemo(() => repliesTo(id, siteId), [id]);
  const { row, lines, earlier, error, isMissing, read } = useThread(id, unsent);
  const presence = usePresence(siteId, id);
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => onRow(row.value), [row.value]);
  useReading(siteId, id, lines.value);
  useScrolling(log, lines.value, unsent.lines.value.length);
  const { notes, read: readNotes } = useNotes(id);
  const isNoting = useSignal(draftOf(noteOf(id)) !== "" && draftOf(id) === "");
  if (isMissing) return <section class="thread nothing"><p role="status">This conversation does not exist, or your key does not have permission to read it. <a href={withParams({ open: "" })}>Back to the list</a></p></section>;
  if (!row.value) return <section class="thread nothing">{error ? <Fault text={error} /> : <Skeleton />}</section>;
  const current = row.value;
  return (
    <section class="thread" aria-label="Conversation">
      <Head row={current} presence={presence.value} tools={tools} onChange={(changed) => void (row.value = changed)} />
      <div class="lines" ref={log} role="log" aria-label="Messages" tabIndex={0}>
        {earlier && <button type="button" class="earlier" onClick={() => read(earlier)}>Show earlier messages</button>}
        {inOrder(lines.value, notes.value).map((line) => ("authorName" in line ? <Note key={line.id} note={line} onChange={readNotes} /> : (
          <article key={line.id} class={`line ${line.author.toLowerCase()}`}>
            <p class="hint">{line.author === "AGENT" ? line.agentName ?? "Team" : line.author === "BOT" ? "HelpBot" : "Visitor"} · <When at={line.createdAt} /></p>
            <Markdown text={line.text} />
          </article>)))}
        <UnsentMessages of={unsent} />
      </div>
      <Fault text={error} />
      {may("WRITE_CONVERSATIONS") && (
        <div class="modes" role="group" aria-label="What you write">
          <button type="button" class="quiet" aria-pressed={!isNoting.value} onClick={() => void (isNoting.value = false)}>Reply</button>
          <button type="button" class="quiet" data-shortcut="note" aria-pressed={isNoting.value} onClick={() => void (isNoting.value = true)}>Note</button>
        </div>)}
      {isNoting.value ? <NoteForm key={id} id={id} onDone={readNotes} /> : may("WRITE_CONVERSATIONS") && isOpen(current)
        ? <ReplyForm key={id} id={id} siteId={siteId} unsent={unsent} presence={presence.value} row={current} />
        : <p class="hint closing">{current.handoff ? "This conversation is closed." : "The visitor has not asked for a human, so you cannot write to them."}</p>}
    </section>
  );
}

/** Messages and notes by their time. */
function inOrder(lines: Line[], notes: TeamNote[]): Array<Line | TeamNote> {
  return notes.length ? [...lines, ...notes].sort((a, b) => a.createdAt.localeCompare(b.createdAt)) : lines;
}

/**
 * Scrolls to new messages when the end was visible, and always to one's own. When earlier messages are added, the visible ones
 * stay where they are.
 */
function useScrolling(log: { current: HTMLDivElement | null }, lines: Line[], unsentCount: number): void {
  const before = useRef({ first: "", last: "", unsentCount: 0, height: 0 });
  useLayoutEffect(() => {
    const box = log.current;
    if (!box) return;
    const [first, last] = [lines[0]?.id ?? "", lines.at(-1)?.id ?? ""];
    const known = before.current;
    const isEarlier = known.first !== first && known.last === last && known.first !== "";
    // What was drawn now may be far below the messages that were there before.
    const wasAtEnd = !known.first || known.height - box.scrollTop - box.clientHeight < NEAR_END_PX;
    // The texts are drawn after this effect.
    requestAnimationFrame(() => {
      if (isEarlier) box.scrollTop += box.scrollHeight - known.height;
      else if (wasAtEnd || unsentCount > known.unsentCount) box.scrollTop = box.scrollHeight;
      before.current.height = box.scrollHeight;
    });
    before.current = { ...known, first, last, unsentCount };
  }, [lines, unsentCount, log.current]);
}

interface HeadProps {
  row: Row;
  presence: Presence | null;
  tools: ComponentChildren;
  onChange(row: Row): void;
}

function Head({ row, presence, tools, onChange }: HeadProps) {
  const { isBusy, error, act } = useAction();
  const { handoff } = row;
  const input = { conversationId: row.id, siteId: site.value!.id };
  const step = (work: () => Promise<{ conversation: Row | null }>) => void act(async () => {
    const { conversation } = await work();
    if (conversation) onChange(conversation);
  });
  const resolve = () => void act(async () => {
    const { conversation } = await change(Resolve, { input });
    if (conversation) onChange(conversation);
    done("The conversation is resolved.", async () => {
      const { conversation: open } = await change(Reopen, { input });
      if (open) onChange(open);
    });
  });
  const block = (by: "VISITOR" | "EMAIL") => void act(async () => {
    const { blockedVisitor } = await change(Block, { input: by === "EMAIL" ? { ...input, by } : input });
    const text = by === "EMAIL" ? "The e-mail address is blocked. Nobody can ask for a human or a transcript with it." : "The visitor is blocked and can no longer ask or write.";
    done(text, blockedVisitor && (() => change(Unblock, { input: { id: blockedVisitor.id, siteId: input.siteId } })));
  });
  const href = handoff?.customerEmail ? mailtoHref(handoff.customerEmail) : null;
  return (
    <header>
      <a class="back button" href={withParams({ open: "" })}><Act icon="back">Back</Act></a>
      {tools}
      <div class="about">
        <h2 dir="auto">{row.question}</h2>
        <p class="hint row">{handoff && <Badge value={handoff.status} />}{handoff?.assignee && <span>with {handoff.assignee.name}</span>}
          {handoff?.customerEmail && (href ? <a href={href}>{handoff.customerEmail}</a> : <span dir="auto">{handoff.customerEmail}</span>)}
          {presence && handoff && <span class={`pulse ${presence.isVisitorHere ? "live" : "gone"}`}>{presence.isVisitorTyping ? "is typing…" : presence.isVisitorHere ? "is here" : "is not here"}</span>}</p>
        <Fault text={error} />
      </div>
      {may("WRITE_CONVERSATIONS") && handoff && (
        <div class="row">
          {handoff.status === "REQUESTED" && viewer.value?.member && <button type="button" data-shortcut="take" disabled={isBusy} onClick={() => step(() => change(Assign, { input }))}><Act icon="take">Take</Act></button>}
          {isOpen(row) && <button type="button" data-shortcut="resolve" disabled={isBusy} onClick={resolve}><Act icon="resolve">Resolve</Act></button>}
          {handoff.status === "RESOLVED" && <button type="button" disabled={isBusy} onClick={() => step(() => change(Reopen, { input }))}><Act icon="reopen">Reopen</Act></button>}
          <button type="button" class="quiet danger" disabled={isBusy} aria-label="Block this visitor" onClick={() => block("VISITOR")}><Act icon="block">Block</Act></button>
          {handoff.customerEmail && <button type="button" class="quiet danger" disabled={isBusy} aria-label={`Block e-mail ${handoff.customerEmail}`} onClick={() => block("EMAIL")}><Act icon="mail">Block e-mail</Act></button>}
        </div>)}
    </header>
  );
}

interface ReplyProps {
  id: string;
  siteId: string;
  unsent: Outbox;
  presence: Presence | null;
  row: Row;
}

/** Where the reply to a visitor who is not here goes. */
function awayText(handoff: Row["handoff"]): string {
  if (!handoff?.customerEmail) return "They see your reply when they come back to the site.";
  return handoff.isMailed ? `Your reply will be mailed to ${handoff.customerEmail}.` : `They left the address ${handoff.customerEmail}.`;
}

function ReplyForm({ id, siteId, unsent, presence, row }: ReplyProps) {
  const draft = useSignal<Draft | null>(null);
  /** The question of the FAQ entry that the reply becomes. Null when it becomes none. */
  const kept = useSignal<string | null>(null);
  const text = useSignal(draftOf(id));
  const toldAt = useRef(0);
  const box = useRef<HTMLTextAreaElement>(null);
  const tell = (isTyping: boolean) => {
    if (liveState.value !== "live" || (isTyping && Date.now() - toldAt.current < TYPING_MS)) return;
    if (!isTyping && toldAt.current === 0) return;
    toldAt.current = isTyping ? Date.now() : 0;
    run(SetTyping, { input: { conversationId: id, siteId, isTyping } }).catch(() => {});
  };
  const write = (words: string) => {
    text.value = words;
    keepDraft(id, words);
    tell(words !== "");
  };
  const send = (event: Event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words || words.length > MESSAGE_MAX) return;
    write("");
    unsent.write(words);
    if (kept.value?.trim()) keepAsEntry(id, siteId, kept.value.trim(), words);
    draft.value = kept.value = null;
  };
  const onKey = (event: KeyboardEvent) => {
    if (isOfInputMethod(event)) return;
    if (event.key === "Escape") box.current?.blur();
    if (event.key !== "Enter" || event.shiftKey) return;
    if (enterSends.isOn.value || event.metaKey || event.ctrlKey) send(event);
  };
  const isAway = presence !== null && !presence.isVisitorHere;
  const insert = (words: string) => {
    write(text.value ? `${text.value}\n${words}` : words);
    box.current?.focus();
  };
  const others = (presence?.typingMembers ?? []).filter((name) => name !== viewer.value?.member?.name);
  return (
    <form class="reply" onSubmit={send}>
      <p class="others" role="status">{others.length > 0 && <><Icon name="members" />{others.join(", ")} {others.length > 1 ? "are" : "is"} writing a reply too.</>}</p>
      {isAway && <p class="hint away" role="status">The visitor is not here. {awayText(row.handoff)}</p>}
      <textarea ref={box} aria-label="Your answer" rows={2} value={text.value} placeholder="Write to the visitor…" dir="auto"
        onInput={(e) => write(e.currentTarget.value)} onKeyDown={onKey} />
      <TooLong text={text.value} max={MESSAGE_MAX} />
      {draft.value && <Drafted draft={draft.value} />}
      <span class="row"><CannedMenu id={id} onPick={insert} />
      <DraftButton id={id} siteId={siteId} onDraft={(drafted) => { draft.value = drafted; insert(drafted.text); }} />
      <label class="check hint"><input type="checkbox" checked={enterSends.isOn.value} onChange={(e) => enterSends.set(e.currentTarget.checked)} />Send with Enter</label></span>
      <button type="submit" class="solid"><Act icon="send">Send</Act></button>
      <KeepAsEntry question={kept.value} suggested={draft.value?.questions.at(-1) ?? row.question} onChange={(question) => void (kept.value = question)} />
    </form>
  );
}

/** Messages that the server has not accepted yet, with the ways to handle them. */
function UnsentMessages({ of }: { of: Outbox }) {
  return (
    <>{of.lines.value.map(({ key, text, fault, isOffline }) => (
      <article key={key} class="line agent unsent">
        <p class="hint">{fault ? "Not sent" : "Sending…"}</p>
        <Markdown text={text} />
        {fault && (
          <div class="row">
            <p class="fault" role="alert">{isOffline ? "There is no connection. The message is sent automatically when the connection is back." : fault}</p>
            <button type="button" onClick={() => of.again(key)}>Try again</button>
            <button type="button" onClick={() => of.discard(key)}>Discard</button>
          </div>)}
      </article>))}
    </>
  );
}
