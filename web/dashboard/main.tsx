// The entry point of the dashboard: navigation and the selected page for the signed-in user. It uses only the public GraphQL API.

import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isReady, resume, signOut, site, viewer } from "./client";
import "./dashboard.css";
import { AnswersPage } from "./pages/answers";
import { ConversationsPage } from "./pages/conversations";
import { InboxPage } from "./pages/inbox";
import { KeysPage } from "./pages/keys";
import { LabPage } from "./pages/lab";
import { MembersPage } from "./pages/members";
import { VisitorsPage } from "./pages/visitors";
import { OverviewPage } from "./pages/overview";
import { SignInPage } from "./pages/signin";
import { SitesPage } from "./pages/sites";
import { SourcesPage } from "./pages/sources";
import { TopicsPage } from "./pages/topics";
import { WebhooksPage } from "./pages/webhooks";
import { WidgetPage } from "./pages/widget";
import { supports } from "../generated/dashboard";
import { KEY_KINDS } from "./labels";
import { connect, onEvent, waiting } from "./live";
import { notify } from "./notify";
import { follows, pathOf, route } from "./route";

const PAGES = [
  { name: "overview", title: "Overview", Body: OverviewPage, isThere: true },
  { name: "inbox", title: "Inbox", Body: InboxPage, isThere: true },
  { name: "conversations", title: "Conversations", Body: ConversationsPage, isThere: true },
  { name: "topics", title: "Unanswered", Body: TopicsPage, isThere: supports.Topics },
  { name: "answers", title: "Answers", Body: AnswersPage, isThere: supports.Entries },
  { name: "sources", title: "Sources", Body: SourcesPage, isThere: true },
  { name: "lab", title: "Answer lab", Body: LabPage, isThere: true },
  { name: "widget", title: "Widget", Body: WidgetPage, isThere: true },
  { name: "keys", title: "API keys", Body: KeysPage, isThere: true },
  { name: "webhooks", title: "Webhooks", Body: WebhooksPage, isThere: supports.Webhooks },
  { name: "members", title: "Members", Body: MembersPage, isThere: supports.Members },
  { name: "visitors", title: "Protection", Body: VisitorsPage, isThere: supports.Guards },
].filter((page) => page.isThere);

function Frame() {
  const { page } = route.value;
  const { Body } = PAGES.find(({ name }) => name === page) ?? PAGES[0]!;
  const isOperator = viewer.value!.kind === "OPERATOR";
  const nav = useRef<HTMLElement>(null);
  const siteId = site.value?.id;
  useEffect(() => (siteId ? connect(siteId) : undefined), [siteId]);
  useEffect(() => onEvent(notify), []);
  // On a phone the navigation is one scrollable row, so the current page must be scrolled into view.
  useEffect(() => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }), [page]);
  return (
    <div class="frame" onClick={follows}>
      <a class="skip" href="#main">Skip to content</a>
      <aside>
        <p class="brand"><a href={pathOf("overview")}>HelpBot</a></p>
        <p class="site" dir="auto">{site.value?.name ?? "No site selected"}</p>
        <nav aria-label="Pages" ref={nav}>
          {PAGES.map(({ name, title }) => <a key={name} href={pathOf(name)} aria-current={name === page ? "page" : undefined}>{title}{name === "inbox" && waiting.value > 0 && <span class="count"> ({waiting.value})</span>}</a>)}
          {isOperator && <a href={pathOf("sites")} aria-current={page === "sites" ? "page" : undefined}>Sites</a>}
        </nav>
        <p class="me">{viewer.value!.member?.name ?? KEY_KINDS[viewer.value!.kind] ?? "API key"}</p>
        <button type="button" onClick={() => signOut()}>Sign out</button>
      </aside>
      <main id="main" tabIndex={-1}>
        {!site.value || page === "sites" ? <SitesPage /> : <Body key={site.value.id} />}
      </main>
    </div>
  );
}

function App() {
  useEffect(() => void resume(), []);
  if (!isReady.value) return <p class="loading" role="status">Loading…</p>;
  return viewer.value ? <Frame /> : <SignInPage />;
}

render(<App />, document.getElementById("app")!);
