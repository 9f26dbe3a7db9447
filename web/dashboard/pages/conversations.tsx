// All conversations: filters, search and pages, and the export as CSV or JSON Lines. The filters are part of the URL.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type ConversationFilter, type ConversationOrder, type ConversationState, ConversationStateValues, Conversations, Export, Promote, type Row } from "../../generated/dashboard";
import { toCsv, toJsonLines } from "../../text/csv";
import { change, may, run, site } from "../client";
import { midnight } from "../days";
import { labelOf } from "../labels";
import { follows, param, pathOf, setParams } from "../route";
import { Act, Badge, Empty, Fault, Field, Loading, Markdown, Page, When, useAction, useQuery } from "../ui";
import { SatisfactionFacts } from "./satisfaction";

const PAGE_SIZE = 20;
/** The maximum number of rows in one export. Larger exports use the API. */
const EXPORT_MAX = 10_000;
const DAYS = [["", "Any time"], ["1", "Since yesterday"], ["7", "Last 7 days"], ["30", "Last 30 days"], ["90", "Last 90 days"]] as const;
const ORDERS: Array<[ConversationOrder, string]> = [["CREATED_AT_DESC", "Newest first"], ["CREATED_AT_ASC", "Oldest first"], ["UPDATED_AT_DESC", "Last changed first"]];
const COLUMNS = ["id", "createdAt", "sessionId", "question", "answer", "sources", "outcome", "confidence", "feedback", "handoff", "customerEmail", "language", "feedbackReason", "feedbackComment", "rating", "ratingComment"];

/** The value when it is one of `known`, otherwise the first of them. */
const oneOf = <T extends string>(known: readonly T[], value: string): T => known.find((one) => one === value) ?? known[0]!;

/** The filters in the URL. */
function filters() {
  const state = oneOf<ConversationState>(["ALL", ...ConversationStateValues], param("state"));
  const days = oneOf(DAYS.map(([value]) => value), param("days"));
  const order = oneOf(ORDERS.map(([value]) => value), param("order"));
  const page = Math.max(1, Math.floor(Number(param("page"))) || 1);
  return { state, days, order, page, search: param("q") };
}

export function ConversationsPage() {
  const { state, days, order, page, search } = filters();
  const typed = useSignal(search);
  useEffect(() => void (typed.value = search), [search]);
  const filter: ConversationFilter = { state };
  if (search) filter.search = search;
  if (days) filter.since = midnight(Number(days)).toISOString();
  const loaded = useQuery(Conversations, { site: site.value!.id, filter, order, page, first: PAGE_SIZE });
  const set = (name: string, value: string, fallback: string) => setParams({ [name]: value === fallback ? "" : value, page: "" });
  const find = (event: Event) => {
    event.preventDefault();
    setParams({ q: typed.value.trim(), page: "" }, true);
  };
  return (
    <Page title="Conversations" tools={<Exports filter={filter} order={order} />}>
      <div class="split">
        <section class="list" aria-label="Conversations">
          <form class="filters" role="search" onSubmit={find}>
            <Field label="Search">{(f) => <input {...f} type="search" maxLength={200} value={typed.value} onInput={(e) => void (typed.value = e.currentTarget.value)} />}</Field>
            <Field label="Show">{(f) => <select {...f} value={state} onChange={(e) => set("state", e.currentTarget.value, "ALL")}>
              {ConversationStateValues.map((value) => <option key={value} value={value}>{labelOf(value)}</option>)}</select>}</Field>
            <Field label="Asked">{(f) => <select {...f} value={days} onChange={(e) => set("days", e.currentTarget.value, "")}>
              {DAYS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select>}</Field>
            <Field label="Order">{(f) => <select {...f} value={order} onChange={(e) => set("order", e.currentTarget.value, ORDERS[0]![0])}>
              {ORDERS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select>}</Field>
            <button type="submit">Search</button>
          </form>
          <Loading of={loaded}>{({ site: found }) => {
            const { nodes = [], totalCount = 0 } = found?.conversations ?? {};
            const last = Math.max(1, Math.ceil(totalCount / PAGE_SIZE));
            if (totalCount === 0) return <Nothing isFiltered={state !== "ALL" || search !== "" || days !== ""} />;
            const turn = (to: number) => setParams({ page: to === 1 ? "" : String(to) });
            return (
              <>
                <ul class="cards">{nodes.map((row) => <Item key={row.id} row={row} isOpen={row.id === param("open")} />)}</ul>
                <nav class="pager row" aria-label="Pages of the list">
                  <button type="button" disabled={page <= 1} onClick={() => turn(page - 1)}>Previous</button>
                  <span role="status">{loaded.isCurrent ? `${(page - 1) * PAGE_SIZE + 1}–${(page - 1) * PAGE_SIZE + nodes.length} of ${totalCount}` : "Loading…"}</span>
                  <button type="button" disabled={page >= last} onClick={() => turn(page + 1)}>Next</button>
                </nav>
              </>
            );
          }}</Loading>
        </section>
        <p class="pane" aria-hidden="true">Open a conversation to read it here.</p>
      </div>
    </Page>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) return <Empty title="No results"><p>Change the filters or try a shorter search.</p></Empty>;
  return <Empty title="No conversations yet"><p>Ask the first question yourself.</p><a class="button solid" href={pathOf("lab")}>Open the answer lab</a></Empty>;
}

/** Writes into the URL which conversation is unfolded, so that going back unfolds it again. */
function keepUnfolded(id: string, isOpen: boolean): void {
  if (isOpen !== (param("open") === id)) setParams({ open: isOpen ? id : "" });
}

function Item({ row, isOpen }: { row: Row; isOpen: boolean }) {
  return (
    <li class="card">
      <details open={isOpen} name="conversation" onToggle={(e) => keepUnfolded(row.id, e.currentTarget.open)}>
        <summary><strong dir="auto">{row.question}</strong>
          <span class="row hint"><When at={row.createdAt} /><Badge value={row.outcome} />{row.feedback && <Badge value={row.feedback} />}{row.handoff && <Badge value={row.handoff.status}>handoff {labelOf(row.handoff.status)}</Badge>}</span>
        </summary>
        <div class="detail">
          <h2 dir="auto">{row.question}</h2>
          <Markdown text={row.answer} />
          <dl class="facts">
            <div><dt>Sources</dt><dd>{row.sources.length ? row.sources.join(", ") : "none"}</dd></div>
            <div><dt>Confidence</dt><dd>{Math.round(row.confidence * 100)} %</dd></div>
            <div><dt>Language</dt><dd>{row.language ?? "unknown"}</dd></div>
            <SatisfactionFacts row={row} />
            <div><dt>Session</dt><dd class="break">{row.sessionId}</dd></div>
            {row.handoff?.customerEmail && <div><dt>E-mail</dt><dd class="break">{row.handoff.customerEmail}</dd></div>}
          </dl>
          <div class="row" onClick={follows}><a class="button" href={pathOf("inbox", { open: row.id })}><Act icon="inbox">Open in the inbox</Act></a></div>
          {row.isUnanswered && may("WRITE_SOURCES") && <WriteAnswer row={row} />}
        </div>
      </details>
    </li>
  );
}

/** A form that turns an unanswered question into an FAQ entry, which answers it from then on. */
function WriteAnswer({ row }: { row: Row }) {
  const answer = useSignal("");
  const isDone = useSignal(false);
  const { isBusy, error, act } = useAction();
  if (isDone.value) return <p class="good" role="status">Saved. Ask the question again in the <a href={pathOf("lab", { q: row.question })}>answer lab</a>.</p>;
  const save = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      await change(Promote, { input: { conversationId: row.id, answer: answer.value.trim() || null, siteId: site.value!.id } });
      isDone.value = true;
    });
  };
  return (
    <form onSubmit={save}>
      <Field label="Write the answer" hint="The answer becomes an FAQ entry under Answers. Leave the field empty to use the reply of the team in this conversation.">
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
    note.value = rows.length >= EXPORT_MAX ? `The first ${EXPORT_MAX} conversations were exported.` : `${rows.length} conversations were exported.`;
  });
  return (
    <>
      <span class="hint" role="status">{error || (isBusy ? "Exporting…" : note.value)}</span>
      <button type="button" disabled={isBusy} onClick={() => void save("csv")}><Act icon="download">Export CSV</Act></button>
      <button type="button" disabled={isBusy} onClick={() => void save("jsonl")}><Act icon="download">Export JSONL</Act></button>
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
  return [row.id, row.createdAt, row.sessionId, row.question, row.answer, row.sources.join(" "), row.outcome, row.confidence, row.feedback, row.handoff?.status, row.handoff?.customerEmail, row.language, row.feedbackReason, row.feedbackComment, row.handoff?.rating, row.handoff?.ratingComment];
}

function download(name: string, type: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
