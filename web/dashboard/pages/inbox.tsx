// The live inbox: the visitors who wait for a human, and the conversation with one of them.
//
// The server filters, orders, counts and pages the list. Events keep it current: they change the row that they are
// about. A live query counts. The tab, the search, the tag, the agent and the open conversation are part of the URL.

import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type ConversationFilter, type ConversationOrder, Inbox, ListCount, Members, type Row, SiteTags } from "../../generated/dashboard";
import { waiting } from "../attention";
import { live, run, site, viewer } from "../client";
import { Icon } from "../icons";
import { liveState, onEvent, onRead, onStale } from "../live";
import { setNotifications } from "../notify";
import { param, pathOf, setParams } from "../route";
import { notifications, sound } from "../settings";
import { type Shortcut, Shortcuts } from "../shortcuts";
import { Act, Badge, Empty, Fault, Page, Skeleton, When, counted, sayError, useQuery } from "../ui";
import { Thread } from "./thread";
import { TriageLabels } from "./triage";
import { Visit } from "./visit";

const PAGE_SIZE = 30;
/** The server returns at most this many rows at once. */
const READ_MAX = 100;
/** The results of a search, and a list whose rows have left, are read again at most this often while events arrive. */
const SEARCH_MS = 700;

interface Tab {
  name: string;
  text: string;
  filter: ConversationFilter;
  order: ConversationOrder;
  has(row: Row): boolean;
  empty: string;
}

const status = (row: Row) => row.handoff?.status;
const TABS: Tab[] = [
  { name: "waiting", text: "Waiting", filter: { handoffStatuses: ["REQUESTED"] }, order: "HANDOFF_REQUESTED_AT_ASC", has: (row) => status(row) === "REQUESTED", empty: "Nobody is waiting" },
  { name: "mine", text: "Mine", filter: { handoffStatuses: ["ASSIGNED"] }, order: "UPDATED_AT_DESC", has: (row) => status(row) === "ASSIGNED" && row.handoff?.assignee?.id === viewer.value?.member?.id, empty: "No conversation is assigned to you" },
  { name: "team", text: "Team", filter: { handoffStatuses: ["ASSIGNED"] }, order: "UPDATED_AT_DESC", has: (row) => status(row) === "ASSIGNED", empty: "No conversation is assigned" },
  { name: "closed", text: "Closed", filter: { handoffStatuses: ["RESOLVED"] }, order: "UPDATED_AT_DESC", has: (row) => status(row) === "RESOLVED", empty: "No conversation is closed" },
  { name: "all", text: "All", filter: {}, order: "UPDATED_AT_DESC", has: () => true, empty: "There are no conversations yet" },
];

/** The tabs of the signed-in user. A key without a member has no conversations of its own. */
const tabs = () => TABS.filter(({ name }) => name !== "mine" || viewer.value?.member);

/** What narrows a tab down. */
interface Narrowing {
  /** Words of the conversation, or a part of the visitor's e-mail address. */
  search: string;
  tag: string;
  /** The ID of the member, or `NOBODY`. */
  agent: string;
}

/** Conversations that no member has taken. */
const NOBODY = "nobody";
/** Tabs whose conversations all have the same agent, or none. */
const ONE_AGENT = ["waiting", "mine"];

/** A search without a space and with an @ is one for an address. */
const isAddress = (search: string) => /^\S*@\S*$/.test(search);

const filterOf = (tab: Tab, { search, tag, agent }: Narrowing): ConversationFilter => ({
  ...tab.filter, ...search && (isAddress(search) ? { customerEmail: search } : { search }), ...tag && { tags: [tag] },
  ...agent && (agent === NOBODY ? { isAssigned: false } : { assigneeId: agent }), ...tab.name === "mine" && { assigneeId: viewer.value!.member!.id },
});

/** The tab with only the conversations that have the tag and the agent. */
function narrowed(tab: Tab, { tag, agent }: Narrowing): Tab {
  if (!tag && !agent) return tab;
  const has = (row: Row) => tab.has(row) && (!tag || (row.tags ?? []).includes(tag)) && (!agent || (row.handoff?.assignee?.id ?? NOBODY) === agent);
  return { ...tab, has, empty: tag && agent ? "No conversation has this tag and this agent" : tag ? "No conversation has this tag" : "No conversation has this agent" };
}

/** The rows in the order of the tab. */
function sorted(rows: Row[], { order }: Tab): Row[] {
  return order === "UPDATED_AT_DESC" ? rows.toSorted((a, b) => b.updatedAt.localeCompare(a.updatedAt))
    : rows.toSorted((a, b) => (a.handoff?.requestedAt ?? "").localeCompare(b.handoff?.requestedAt ?? ""));
}

interface List {
  rows: Signal<Row[] | null>;
  total: Signal<number>;
  error: Signal<string>;
  more(): void;
}

/** The list of a tab, kept current by events. Only the server knows what contains the words of a search. */
function useList(tab: Tab, narrowing: Narrowing): List {
  const { search, tag, agent } = narrowing;
  const rows = useSignal<Row[] | null>(null);
  const total = useSignal(0);
  const next = useSignal<string | null>(null);
  const error = useSignal("");
  const siteId = site.value!.id;
  const filter = filterOf(tab, narrowing);
  /** Events that arrive while the list is being read. The response can be older than they are. */
  const heard = useRef(new Set<Row[]>());
  const newest = useRef(0);
  const load = async (after: string | null) => {
    const meanwhile: Row[] = [];
    heard.current.add(meanwhile);
    const turn = after ? newest.current : ++newest.current;
    // A list that is read again keeps the pages that were loaded.
    const first = after ? PAGE_SIZE : Math.min(READ_MAX, Math.max(PAGE_SIZE, rows.value?.length ?? 0));
    const found = await run(Inbox, { site: siteId, filter, order: tab.order, first, after }).finally(() => heard.current.delete(meanwhile));
    // A later request reads a newer list.
    if (turn !== newest.current) return;
    const list = found.site?.list;
    const nodes = list?.nodes ?? [];
    const known = after ? rows.value ?? [] : [];
    const all = [...known.filter(({ id }) => nodes.every((row) => row.id !== id)), ...nodes];
    // A row that an event has added belongs behind the rows of this page.
    rows.value = merged(after ? sorted(all, tab) : all, meanwhile, tab);
    total.value = list?.totalCount ?? 0;
    next.value = list?.pageInfo.hasNextPage ? list.pageInfo.endCursor : null;
    error.value = "";
  };
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    // A response for another tab is dropped.
    newest.current++;
    const read = () => void load(null).catch((reason) => isGone || (error.value = sayError(reason)));
    rows.value = null;
    read();
    const stop = [onStale(read), onRead((row) => void (rows.value &&= rows.value.map((one) => (one.id === row.id ? row : one)))), onEvent(({ type, conversation, conversationId }) => {
      if (conversation && !search) {
        heard.current.forEach((meanwhile) => meanwhile.push(conversation));
        if (rows.value) {
          const before = rows.value.length;
          rows.value = changed(rows.value, conversation, tab);
          // The server's count follows at once.
          total.value += rows.value.length - before;
        }
      }
      if (type === "CONVERSATION_ERASED") rows.value &&= rows.value.filter(({ id }) => id !== conversationId);
      // When rows have left, those behind them move up.
      const isShort = next.value !== null && (rows.value?.length ?? 0) < PAGE_SIZE;
      if (!search && !isShort) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        read();
      }, SEARCH_MS);
    }), live(ListCount, { site: siteId, filter }, ({ site: found }) => void (total.value = found?.conversations?.totalCount ?? total.value), () => {}).stop];
    return () => {
      isGone = true;
      clearTimeout(timer);
      stop.forEach((end) => end());
    };
  }, [siteId, tab.name, search, tag, agent]);
  return { rows, total, error, more: () => void load(next.value).catch((reason) => void (error.value = sayError(reason))) };
}

/** The rows after a change of one conversation: it moves to its place, or leaves a tab that it is not part of. */
function changed(rows: Row[], row: Row, tab: Tab): Row[] {
  const others = rows.filter(({ id }) => id !== row.id);
  return tab.has(row) ? sorted([...others, row], tab) : others;
}

/** A list that was read, with the events that arrived meanwhile. An event that is older than its row changes nothing. */
function merged(read: Row[], heard: Row[], tab: Tab): Row[] {
  const isNewer = (row: Row, rows: Row[]) => rows.every(({ id, updatedAt }) => id !== row.id || updatedAt <= row.updatedAt);
  return heard.reduce((rows, row) => (isNewer(row, rows) ? changed(rows, row, tab) : rows), read);
}

export function InboxPage() {
  const openId = param("open");
  const whole = tabs().find(({ name }) => name === param("tab")) ?? TABS[0]!;
  const narrowing: Narrowing = { search: param("q"), tag: param("tag"), agent: ONE_AGENT.includes(whole.name) ? "" : param("agent") };
  const { search, tag, agent } = narrowing;
  const tab = narrowed(whole, narrowing);
  const typed = useSignal(search);
  useEffect(() => void (typed.value = search), [search]);
  const { rows, total, error, more } = useList(tab, narrowing);
  const state = liveState.value;
  /** The open conversation as its thread has read it. */
  const open = useSignal<Row | null>(null);
  /** Whether the visit is shown over the conversation, in windows that are too narrow for three panes. */
  const isVisitShown = useSignal(false);
  const step = (by: number) => {
    const list = rows.value ?? [];
    const at = list.findIndex(({ id }) => id === openId);
    const next = list[at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + by))];
    if (next) setParams({ open: next.id }, true);
  };
  const find = (event: Event) => {
    event.preventDefault();
    setParams({ q: typed.value.trim() });
  };
  const press = (name: string) => document.querySelector<HTMLElement>(`[data-shortcut="${name}"]`)?.click();
  const shortcuts: Shortcut[] = [
    { key: "j", text: "Next conversation", run: () => step(1) },
    { key: "k", text: "Previous conversation", run: () => step(-1) },
    { key: "r", text: "Write a reply", run: () => document.querySelector<HTMLElement>(".reply textarea")?.focus() },
    { key: "c", text: "Insert a canned reply", run: () => press("canned") },
    { key: "d", text: "Draft a reply", run: () => press("draft") },
    { key: "n", text: "Write a note", run: () => press("note") },
    { key: "t", text: "Take the conversation", run: () => press("take") },
    { key: "/", text: "Find a conversation", run: () => document.querySelector<HTMLElement>(".find input")?.focus() },
    { key: "e", text: "Resolve the conversation", run: () => press("resolve") },
  ];
  const tools = (
    <>
      <Shortcuts list={shortcuts} />
      <label class="check"><input type="checkbox" checked={sound.isOn.value} onChange={(e) => sound.set(e.currentTarget.checked)} />Sound</label>
      <label class="check"><input type="checkbox" checked={notifications.isOn.value} onChange={(e) => { const box = e.currentTarget; void setNotifications(box.checked).then(() => (box.checked = notifications.isOn.value)); }} />Notifications</label>
      <span class={`pulse ${state}`} role="status">{state === "live" ? "Live" : state === "refused" ? "Not allowed" : "Reconnecting…"}</span>
    </>
  );
  return (
    <Page title="Inbox" count={waiting.value} tools={tools}>
      <Fault text={error.value} />
      <div class={`inbox ${openId ? "reading" : ""} ${isVisitShown.value ? "with-visit" : ""}`}>
        <section class="list" aria-label="Conversations">
          <nav class="tabs" aria-label="Filter">
            {tabs().map(({ name, text }) => (
              <a key={name} class="button" href={pathOf("inbox", { tab: name, ...openId && { open: openId }, ...queryOf(narrowing) })} aria-current={name === tab.name ? "true" : undefined}>
                {text}{name === "waiting" && waiting.value > 0 ? ` (${waiting.value})` : ""}</a>))}
          </nav>
          <form class="find" onSubmit={find}><Icon name="search" /><input type="search" aria-label="Find a conversation" placeholder="Find by words or e-mail" maxLength={200} value={typed.value}
            onInput={(e) => { typed.value = e.currentTarget.value; if (!typed.value) setParams({ q: "" }); }} /></form>
          <div class="filters"><TagFilter tag={tag} />{!ONE_AGENT.includes(tab.name) && <AgentFilter agent={agent} />}</div>
          {!rows.value && !error.value && <Skeleton />}
          {rows.value?.length === 0 && (search || tag || agent ? <Empty title={search ? "No results" : tab.empty}><p>Try other words, another tag, another agent or another tab.</p></Empty> : <Nobody tab={tab} />)}
          <ul class="plain">{rows.value?.map((row) => <Entry key={row.id} row={row} tab={tab} narrowing={narrowing} isOpen={row.id === openId} />)}</ul>
          {rows.value && total.value > rows.value.length && (
            <p class="row more"><span class="hint">{rows.value.length} of {total.value}</span><button type="button" onClick={more}>Show more</button></p>)}
        </section>
        {openId ? <><Thread key={openId} id={openId} onRow={(row) => void (open.value = row)}
          tools={<button type="button" class="quiet show-visit" aria-expanded={isVisitShown.value} onClick={() => void (isVisitShown.value = !isVisitShown.value)}><Act icon="user">Visit</Act></button>} /><Visit row={open.value?.id === openId ? open.value : null} /></> : <section class="thread nothing"><p>Select a conversation to read and answer it.</p></section>}
      </div>
    </Page>
  );
}

/** The parameters of the URL that narrow a tab down. */
const queryOf = ({ search, tag, agent }: Narrowing) => ({ ...search && { q: search }, ...tag && { tag }, ...agent && { agent } });

/** A menu of the members of the site. */
function AgentFilter({ agent }: { agent: string }) {
  const { data } = useQuery(Members, { site: site.value!.id });
  const members = data?.site?.members?.nodes ?? [];
  return (
    <select aria-label="Agent" value={agent} onChange={(e) => setParams({ agent: e.currentTarget.value })}>
      <option value="">All agents</option><option value={NOBODY}>Nobody</option>{members.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
    </select>
  );
}

/** A menu of the tags of the site. Nothing while the site has none. */
function TagFilter({ tag }: { tag: string }) {
  const { data } = useQuery(SiteTags, { site: site.value!.id });
  const names = data?.site?.conversationTags?.map(({ name }) => name) ?? [];
  if (names.length === 0 && !tag) return null;
  return (
    <select aria-label="Tag" value={tag} onChange={(e) => setParams({ tag: e.currentTarget.value })}>
      <option value="">All tags</option>{[...new Set([...names, ...tag ? [tag] : []])].map((name) => <option key={name} value={name}>{name}</option>)}
    </select>
  );
}

function Entry({ row, tab, narrowing, isOpen }: { row: Row; tab: Tab; narrowing: Narrowing; isOpen: boolean }) {
  const unread = row.handoff ? row.unreadCount ?? 0 : 0;
  return (
    <li><a class="entry" href={pathOf("inbox", { tab: tab.name, ...queryOf(narrowing), open: row.id })} aria-current={isOpen ? "true" : undefined}>
      <span class="row between"><strong dir="auto">{row.question}</strong>{unread > 0 && <span class="unread" title={counted(unread, "unread message")}>{unread}<span class="sr"> unread</span></span>}</span>
      <span class="row hint"><When at={tab.name === "waiting" ? row.handoff!.requestedAt : row.updatedAt} />
        <Badge value={row.handoff?.status ?? row.outcome} /><TriageLabels row={row} />{row.handoff?.assignee && <span>{row.handoff.assignee.name}</span>}</span>
    </a></li>
  );
}

function Nobody({ tab }: { tab: Tab }) {
  const hint = tab.name === "all" ? "Add the widget to a page. Questions appear here when visitors ask them." : "A conversation appears here at once when a visitor asks for a human.";
  return <Empty title={tab.empty}><p>{hint}</p></Empty>;
}
