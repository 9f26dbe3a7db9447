// The visit beside a conversation in the inbox: who the visitor is, on which page, and what else they asked, in order.

import { Assign, Members, type Person as PersonRow, type Row, Unassign, Visit as VisitQuery } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { withParams } from "../route";
import { SatisfactionFacts } from "./satisfaction";
import { Triage } from "./triage";
import { Badge, Fault, Loading, When, counted, useAction, useQuery } from "../ui";

/** Shows nothing until the conversation is known. */
export function Visit({ row }: { row: Row | null }) {
  return <section class="visit" aria-label="Visit">{row && <><Facts row={row} /><Session key={row.sessionId} id={row.id} changed={row.updatedAt} /></>}</section>;
}

function Facts({ row }: { row: Row }) {
  const { id, handoff, language, confidence, outcome, createdAt } = row;
  return (
    <>
      <h2>Visitor</h2>
      <dl class="facts">
        <div><dt>E-mail</dt><dd>{handoff?.customerEmail ?? "not given"}</dd></div>
        <div><dt>Answered in</dt><dd>{languageOf(language)}</dd></div>
        <div><dt>Asked</dt><dd><When at={createdAt} /></dd></div>
        {handoff && <div><dt>Wants a human</dt><dd><When at={handoff.requestedAt} /></dd></div>}
        <div><dt>Assigned to</dt><dd>{handoff && handoff.status !== "RESOLVED" && may("WRITE_CONVERSATIONS") ? <Assignee id={id} member={handoff.assignee} /> : handoff?.assignee?.name ?? "nobody"}</dd></div>
        <Triage row={row} />
        <SatisfactionFacts row={row} />
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

/** What is known of the session: the person, the page and the browser, and all questions of the visit. */
function Session({ id, changed }: { id: string; changed: string }) {
  // It is read again when the conversation changes, because the visitor may have asked another question on another page.
  const loaded = useQuery(VisitQuery, { id }, changed);
  return (
    <Loading of={loaded}>{({ node }) => {
      const session = node?.session;
      if (!session) return null;
      const list = session.conversations;
      return (
        <>
          {session.contact && <Person contact={session.contact} session={session.id} />}
          <h2>Browser</h2>
          <dl class="facts">
            <div><dt>Page</dt><dd><Address url={session.pageUrl} /></dd></div>
            {session.referrer && <div><dt>Came from</dt><dd><Address url={session.referrer} /></dd></div>}
            <div><dt>Browser</dt><dd>{session.browser ?? "unknown"}</dd></div>
            <div><dt>Language</dt><dd>{languageOf(session.language)}</dd></div>
            <div><dt>First seen</dt><dd><When at={session.createdAt} /></dd></div>
            <div><dt>Last seen</dt><dd>{session.isVisitorHere ? "here now" : <When at={session.lastSeenAt} />}</dd></div>
          </dl>
          {list && list.nodes.length > 0 && <>
            <h2>{counted(list.totalCount, "question")} in this visit</h2>
            <ol>{list.nodes.map((one) => (
              <li key={one.id}><a href={withParams({ open: one.id })} aria-current={one.id === id ? "true" : undefined}><span dir="auto">{one.question}</span><span class="hint row"><When at={one.createdAt} /><Badge value={one.handoff?.status ?? one.outcome} /></span></a></li>))}</ol>
          </>}
        </>
      );
    }}</Loading>
  );
}

/** An address that a browser reported. Only addresses of web pages become links, and they open without telling where from. */
function Address({ url }: { url: string | null }) {
  if (!url) return <>unknown</>;
  const { host, pathname } = new URL(url);
  return <a class="break" href={url} target="_blank" rel="noreferrer nofollow">{host}{pathname === "/" ? "" : pathname}</a>;
}

/** The person whom the site's own server named, with the other visits of the person. */
function Person({ contact, session }: { contact: PersonRow; session: string }) {
  const others = contact.sessions?.nodes.filter(({ id }) => id !== session) ?? [];
  return (
    <>
      <h2>Contact</h2>
      <dl class="facts">
        <div><dt>Name</dt><dd dir="auto">{contact.name ?? "unknown"}</dd></div>
        <div><dt>E-mail</dt><dd class="break">{contact.email ?? "unknown"}</dd></div>
        <div><dt>ID</dt><dd class="break">{contact.externalId}</dd></div>
        {contact.attributes.map(({ name, value }) => <div key={name}><dt class="break">{name}</dt><dd class="break" dir="auto">{value}</dd></div>)}
      </dl>
      {others.length > 0 && <>
        <h2>Other visits</h2>
        <ol>{others.map(({ id, lastSeenAt, conversations }) => conversations?.nodes[0] && (
          <li key={id}><a href={withParams({ open: conversations.nodes[0].id })}><span dir="auto">{conversations.nodes[0].question}</span><span class="hint row"><When at={lastSeenAt} />{counted(conversations.totalCount, "question")}</span></a></li>))}</ol>
      </>}
    </>
  );
}
