// The visit beside a conversation in the inbox: who the visitor is and what else they asked, in order.

import { Assign, Members, type Row, Unassign, Visit as VisitQuery } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { pathOf } from "../route";
import { Triage } from "./triage";
import { Badge, Fault, Loading, When, counted, useAction, useQuery } from "../ui";

/** Shows nothing until the conversation is known. */
export function Visit({ row, tab }: { row: Row | null; tab: string }) {
  return <section class="visit" aria-label="Visit">{row && <><Facts row={row} /><Questions key={row.sessionId} session={row.sessionId} id={row.id} tab={tab} changed={row.updatedAt} /></>}</section>;
}

function Facts({ row }: { row: Row }) {
  const { id, handoff, language, confidence, outcome, createdAt } = row;
  return (
    <>
      <h2>Visitor</h2>
      <dl class="facts">
        <div><dt>E-mail</dt><dd>{handoff?.customerEmail ?? "not given"}</dd></div>
        <div><dt>Language</dt><dd>{languageOf(language)}</dd></div>
        <div><dt>Asked</dt><dd><When at={createdAt} /></dd></div>
        {handoff && <div><dt>Wants a human</dt><dd><When at={handoff.requestedAt} /></dd></div>}
        <div><dt>Assigned to</dt><dd>{handoff && handoff.status !== "RESOLVED" && may("WRITE_CONVERSATIONS") ? <Assignee id={id} member={handoff.assignee} /> : handoff?.assignee?.name ?? "nobody"}</dd></div>
        <Triage row={row} />
        <div><dt>First answer</dt><dd><Badge value={outcome} /> {`${Math.round(confidence * 100)}\u00a0%`}</dd></div>
      </dl>
    </>
  );
}

/** Assigns the conversation to a member of the team. The event about it changes the page. */
function Assignee({ id, member }: { id: string; member: { id: string; name: string } | null }) {
  const { data } = useQuery(Members, { site: site.value!.id });
  const { isBusy, error, act } = useAction();
  const members = data?.site?.members?.nodes ?? (member ? [member] : []);
  if (members.length === 0) return <>nobody</>;
  const input = { conversationId: id, siteId: site.value!.id };
  const assign = (memberId: string) => void act(() => (memberId ? change(Assign, { input: { ...input, memberId } }) : change(Unassign, { input })));
  return (
    <>
      <select aria-label="Assigned to" disabled={isBusy} value={member?.id ?? ""} onChange={(e) => assign(e.currentTarget.value)}>
        <option value="">nobody</option>{members.map(({ id: one, name }) => <option key={one} value={one}>{name}</option>)}</select>
      <Fault text={error} />
    </>
  );
}

/** The name of a language in the language of the browser. */
function languageOf(tag: string | null): string {
  try {
    return (tag && new Intl.DisplayNames(undefined, { type: "language" }).of(tag)) || "unknown";
  } catch {
    return tag ?? "unknown";
  }
}

function Questions({ session, id, tab, changed }: { session: string; id: string; tab: string; changed: string }) {
  // The list is read again when the conversation changes, because the visitor may have asked another question.
  const loaded = useQuery(VisitQuery, { site: site.value!.id, session }, changed);
  return (
    <Loading of={loaded}>{({ site: found }) => {
      const list = found?.conversations;
      if (!list?.nodes.length) return null;
      return (
        <>
          <h2>{counted(list.totalCount, "question")} in this visit</h2>
          <ol>{list.nodes.map((one) => (
            <li key={one.id}><a href={pathOf("inbox", { tab, open: one.id })} aria-current={one.id === id ? "true" : undefined}><span dir="auto">{one.question}</span><span class="hint row"><When at={one.createdAt} /><Badge value={one.handoff?.status ?? one.outcome} /></span></a></li>))}</ol>
        </>
      );
    }}</Loading>
  );
}
