// Every question with its answer: filtered, searched, page by page, and out as CSV or JSON Lines.

import { useSignal } from "@preact/signals";
import { type ConversationFilter, type ConversationOrder, type ConversationState, ConversationStateValues, Conversations, Export, Promote, type Row, supports } from "../../generated/dashboard";
import { toCsv, toJsonLines } from "../../text/csv";
import { change, may, run, site } from "../client";
import { follows, pathOf, route } from "../route";
import { Badge, Empty, Fault, Field, Loading, Markdown, Page, When, useAction, useQuery } from "../ui";

const PAGE_SIZE = 20;
/** Rows that one export reads at most; a larger one is made with the API. */
const EXPORT_MAX = 10_000;
const DAYS = [["", "Any time"], ["1", "Today and yesterday"], ["7", "7 days"], ["30", "30 days"], ["90", "90 days"]] as const;
const ORDERS: Array<[ConversationOrder, string]> = [["CREATED_AT_DESC", "Newest"], ["CREATED_AT_ASC", "Oldest"], ["UPDATED_AT_DESC", "Last changed"]];
const COLUMNS = ["id", "createdAt", "sessionId", "question", "answer", "sources", "outcome", "confidence", "feedback", "handoff", "customerEmail", "language"];

export function ConversationsPage() {
  const { query } = route.value;
  const state = useSignal<ConversationState>((ConversationStateValues as readonly string[]).includes(query.get("state") ?? "") ? query.get("state") as ConversationState : "ALL");
  const typed = useSignal("");
  const search = useSignal("");
  const days = useSignal("");
  const order = useSignal<ConversationOrder>("CREATED_AT_DESC");
  const page = useSignal(1);
  const filter: ConversationFilter = { state: state.value };
  if (search.value) filter.search = search.value;
  if (days.value) filter.since = new Date(new Date().setUTCHours(0, 0, 0, 0) - Number(days.value) * 86_400_000).toISOString();
  const loaded = useQuery(Conversations, { site: site.value!.id, filter, order: order.value, page: page.value, first: PAGE_SIZE });
  const set = <T,>(signal: { value: T }, value: T) => {
    signal.value = value;
    page.value = 1;
  };
  return (
    <Page title="Conversations" tools={<Exports filter={filter} order={order.value} />}>
      <form class="filters" role="search" onSubmit={(e) => { e.preventDefault(); set(search, typed.value.trim()); }}>
        <Field label="Search">{(f) => <input {...f} type="search" maxLength={200} value={typed.value} onInput={(e) => void (typed.value = e.currentTarget.value)} />}</Field>
        <Field label="Show">{(f) => <select {...f} value={state.value} onChange={(e) => set(state, e.currentTarget.value as ConversationState)}>
          {ConversationStateValues.map((value) => <option key={value} value={value}>{value.charAt(0) + value.slice(1).toLowerCase()}</option>)}</select>}</Field>
        <Field label="Asked">{(f) => <select {...f} value={days.value} onChange={(e) => set(days, e.currentTarget.value)}>
          {DAYS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select>}</Field>
        <Field label="Order">{(f) => <select {...f} value={order.value} onChange={(e) => set(order, e.currentTarget.value as ConversationOrder)}>
          {ORDERS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select>}</Field>
        <button type="submit">Search</button>
      </form>
      <Loading of={loaded}>{({ site: found }) => {
        const { nodes = [], totalCount = 0 } = found?.conversations ?? {};
        const last = Math.max(1, Math.ceil(totalCount / PAGE_SIZE));
        if (totalCount === 0) return <Nothing isFiltered={state.value !== "ALL" || search.value !== "" || days.value !== ""} />;
        return (
          <>
            <ul class="cards">{nodes.map((row) => <Item key={row.id} row={row} isOpen={row.id === query.get("open")} />)}</ul>
            <nav class="pager row" aria-label="Pages of the list">
              <button type="button" disabled={page.value <= 1} onClick={() => void page.value--}>Previous</button>
              <span role="status">{(page.value - 1) * PAGE_SIZE + 1}–{(page.value - 1) * PAGE_SIZE + nodes.length} of {totalCount}</span>
              <button type="button" disabled={page.value >= last} onClick={() => void page.value++}>Next</button>
            </nav>
          </>
        );
      }}</Loading>
    </Page>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) return <Empty title="Nothing fits"><p>Loosen the filters or search for fewer words.</p></Empty>;
  return <Empty title="No conversations yet"><p>Ask the first question yourself.</p><a class="button solid" href={pathOf("lab")}>Open the answer lab</a></Empty>;
}

function Item({ row, isOpen }: { row: Row; isOpen: boolean }) {
  return (
    <li class="card">
      <details open={isOpen}>
        <summary><strong dir="auto">{row.question}</strong>
          <span class="row hint"><When at={row.createdAt} /><Badge value={row.outcome} />{row.feedback && <Badge value={row.feedback} />}{row.handoff && <Badge value={row.handoff.status}>handoff {row.handoff.status.toLowerCase()}</Badge>}</span>
        </summary>
        <Markdown text={row.answer} />
        <dl class="facts">
          <div><dt>Sources</dt><dd>{row.sources.length ? row.sources.join(", ") : "none"}</dd></div>
          <div><dt>Confidence</dt><dd>{Math.round(row.confidence * 100)} %</dd></div>
          <div><dt>Language</dt><dd>{row.language ?? "unknown"}</dd></div>
          <div><dt>Session</dt><dd class="break">{row.sessionId}</dd></div>
          {row.handoff?.customerEmail && <div><dt>E-mail</dt><dd class="break">{row.handoff.customerEmail}</dd></div>}
        </dl>
        <div class="row" onClick={follows}><a class="button" href={pathOf("inbox", { open: row.id })}>Open in the inbox</a></div>
        {row.isUnanswered && supports.Promote && may("WRITE_SOURCES") && <WriteAnswer row={row} />}
      </details>
    </li>
  );
}

/** Turns a question that was left open into an entry that answers it from now on. */
function WriteAnswer({ row }: { row: Row }) {
  const answer = useSignal("");
  const isDone = useSignal(false);
  const { isBusy, error, act } = useAction();
  if (isDone.value) return <p class="good" role="status">Saved. Ask it again in the <a href={pathOf("lab", { q: row.question })}>answer lab</a>.</p>;
  const save = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      await change(Promote, { input: { conversationId: row.id, answer: answer.value.trim() || null, siteId: site.value!.id } });
      isDone.value = true;
    });
  };
  return (
    <form onSubmit={save}>
      <Field label="Write the answer" hint="It becomes an entry under Answers. Left empty, the team's reply in the conversation is used.">
        {(f) => <textarea {...f} rows={3} value={answer.value} dir="auto" onInput={(e) => void (answer.value = e.currentTarget.value)} />}
      </Field>
      <Fault text={error} />
      <button type="submit" class="solid" disabled={isBusy}>Save as an answer</button>
    </form>
  );
}

function Exports({ filter, order }: { filter: ConversationFilter; order: ConversationOrder }) {
  const { isBusy, error, act } = useAction();
  const note = useSignal("");
  const save = (kind: "csv" | "jsonl") => act(async () => {
    const rows = await readAll(filter, order);
    const text = kind === "csv" ? toCsv(COLUMNS, rows.map(cellsOf)) : toJsonLines(rows);
    download(`conversations.${kind}`, kind === "csv" ? "text/csv" : "application/jsonl", text);
    note.value = rows.length >= EXPORT_MAX ? `The first ${EXPORT_MAX} were written.` : `${rows.length} written.`;
  });
  return (
    <>
      <span class="hint" role="status">{error || (isBusy ? "Reading…" : note.value)}</span>
      <button type="button" disabled={isBusy} onClick={() => void save("csv")}>Export CSV</button>
      <button type="button" disabled={isBusy} onClick={() => void save("jsonl")}>Export JSONL</button>
    </>
  );
}

async function readAll(filter: ConversationFilter, order: ConversationOrder): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after: string | null = null; rows.length < EXPORT_MAX;) {
    const { site: found }: Awaited<ReturnType<typeof readPage>> = await readPage(filter, order, after);
    rows.push(...found?.conversations?.nodes ?? []);
    if (!found?.conversations?.pageInfo.hasNextPage) break;
    after = found.conversations.pageInfo.endCursor;
  }
  return rows;
}

const readPage = (filter: ConversationFilter, order: ConversationOrder, after: string | null) => run(Export, { site: site.value!.id, filter, order, after });

function cellsOf(row: Row) {
  return [row.id, row.createdAt, row.sessionId, row.question, row.answer, row.sources.join(" "), row.outcome, row.confidence, row.feedback, row.handoff?.status, row.handoff?.customerEmail, row.language];
}

function download(name: string, type: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
