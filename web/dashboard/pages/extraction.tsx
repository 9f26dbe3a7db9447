// What a sync read on one page: its questions and passages, what was left out and why, and the last difference.

import { PageDetail, type OmissionReason, type PageDetailResult, type ChunkChangeKind } from "../../generated/dashboard";
import { Loading, Markdown, When, counted, useQuery } from "../ui";

const REASONS: Record<OmissionReason, string> = {
  PAGE_FRAME: "Navigation, header, footer, banner, notice or vote", CONTROL: "Label of a button", LINK_LIST: "List of links",
  TOO_SHORT: "Too short to have a meaning by itself", IMAGES_ONLY: "Only images", EMPTY_HEADING: "Heading that no text follows",
  ON_ANOTHER_PAGE: "Already read on another page",
};
const KINDS: Record<ChunkChangeKind, string> = { ADDED: "Added", CHANGED: "Changed", REMOVED: "Removed" };

type Detail = NonNullable<NonNullable<PageDetailResult["node"]>["pages"]>["nodes"][number];

export function Extraction({ source, url }: { source: string; url: string }) {
  const loaded = useQuery(PageDetail, { id: source, url });
  return (
    <Loading of={loaded}>{({ node }) => {
      const page = node?.pages?.nodes[0];
      if (!page) return <p>The source no longer has this page.</p>;
      return <><Change change={page.lastChange} /><Entries entries={page.entries} /><Passages passages={page.passages} /><Omitted omitted={page.omitted} /></>;
    }}</Loading>
  );
}

function Entries({ entries }: { entries: Detail["entries"] }) {
  if (!entries?.totalCount) return <p>No question was found on this page.</p>;
  return (
    <section><h3>{counted(entries.totalCount, "question")}</h3>
      <dl>{entries.nodes.map(({ id, question, answer }) => <div key={id}><dt dir="auto">{question}</dt><dd dir="auto"><Markdown text={answer} /></dd></div>)}</dl>
      <More shown={entries.nodes.length} total={entries.totalCount} />
    </section>
  );
}

function Passages({ passages }: { passages: Detail["passages"] }) {
  if (!passages?.totalCount) return null;
  return (
    <section><h3>{counted(passages.totalCount, "passage")}</h3>
      <dl>{passages.nodes.map(({ id, headings, text }) => <div key={id}><dt dir="auto">{headings.join(" › ") || "Without a heading"}</dt><dd dir="auto"><Markdown text={text} /></dd></div>)}</dl>
      <More shown={passages.nodes.length} total={passages.totalCount} />
    </section>
  );
}

function More({ shown, total }: { shown: number; total: number }) {
  return total > shown ? <p class="hint">The first {shown} of {total} are shown.</p> : null;
}

function Omitted({ omitted }: { omitted: Detail["omitted"] }) {
  if (!omitted?.length) return null;
  return (
    <section><h3>Left out</h3>
      <ul>{omitted.map(({ reason, sample }) => <li key={reason + sample}>{REASONS[reason]}: <q dir="auto">{sample}</q></li>)}</ul>
    </section>
  );
}

function Change({ change }: { change: Detail["lastChange"] }) {
  if (!change) return null;
  return (
    <section><h3>Last change, <When at={change.changedAt} /></h3>
      <dl>{change.chunks.map(({ kind, isEntry, title, before, after }, at) => (
        <div key={at}>
          <dt>{KINDS[kind]} {isEntry ? "question" : "passage"}{title && <>: <span dir="auto">{title}</span></>}</dt>
          <dd>{before !== null && <del dir="auto">{before}</del>} {after !== null && <ins dir="auto">{after}</ins>}</dd>
        </div>))}</dl>
      <More shown={change.chunks.length} total={change.totalCount} />
    </section>
  );
}
