// The entry point of the dashboard: navigation and the selected page for the signed-in user. It uses only the public GraphQL API.

import { type ComponentType, Fragment, render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isReady, resume, signOut, site, viewer } from "./client";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/pages.css";
import { AnswersPage } from "./pages/answers";
import { CannedPage } from "./pages/canned";
import { ConversationsPage } from "./pages/conversations";
import { HoursPage } from "./pages/hours";
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
import { Icon, type IconName } from "./icons";
import { KEY_KINDS } from "./labels";
import { connect, onEvent, waiting } from "./live";
import { notify } from "./notify";
import { type Command, PALETTE_KEY, Palette, openPalette } from "./palette";
import { follows, go, pathOf, route } from "./route";
import { type Scheme, colorScheme } from "./settings";
import { Toasts, finishAll } from "./toasts";
import { Empty, Logo, Page } from "./ui";

/** The pages in the order of the navigation. A group begins with the page that names it. */
const PAGES: PageEntry[] = [
  { name: "overview", title: "Overview", Body: OverviewPage },
  { name: "inbox", title: "Inbox", Body: InboxPage },
  { name: "conversations", title: "Conversations", Body: ConversationsPage },
  { name: "topics", title: "Unanswered", Body: TopicsPage, group: "Knowledge" },
  { name: "answers", title: "Answers", Body: AnswersPage },
  { name: "sources", title: "Sources", Body: SourcesPage },
  { name: "lab", title: "Answer lab", Body: LabPage },
  { name: "widget", title: "Widget", Body: WidgetPage, group: "Settings" },
  { name: "canned", title: "Canned replies", Body: CannedPage },
  { name: "hours", title: "Business hours", Body: HoursPage },
  { name: "keys", title: "API keys", Body: KeysPage },
  { name: "webhooks", title: "Webhooks", Body: WebhooksPage },
  { name: "members", title: "Members", Body: MembersPage },
  { name: "visitors", title: "Protection", Body: VisitorsPage },
];

interface PageEntry {
  name: IconName;
  title: string;
  Body: ComponentType;
  group?: string;
}

/** Pages whose panes fill the window. */
const WIDE = ["inbox", "conversations"];
const SCHEMES: Array<[Scheme, string, IconName]> = [["system", "Use the color scheme of the system", "system"], ["light", "Use light colors", "sun"], ["dark", "Use dark colors", "moon"]];

/** Signs out after what still waits has been sent with the key. */
function leave(): void {
  finishAll();
  signOut();
}

function commands(): Command[] {
  const isOperator = viewer.value!.kind === "OPERATOR";
  return [
    ...PAGES.map(({ name, title }) => ({ title, hint: "Page", icon: name, run: () => go(pathOf(name)) })),
    ...isOperator ? [{ title: "Sites", hint: "Page", icon: "sites" as const, run: () => go(pathOf("sites")) }] : [],
    ...SCHEMES.map(([scheme, title, icon]) => ({ title, hint: "Appearance", icon, run: () => colorScheme.set(scheme) })),
    { title: "Open the GraphQL explorer", hint: "Developers", icon: "external", run: () => void location.assign("/graphiql") },
    { title: "Sign out of the dashboard", hint: "Account", icon: "signOut", run: leave },
  ];
}

function Frame() {
  const { page } = route.value;
  const isOperator = viewer.value!.kind === "OPERATOR";
  const found = PAGES.find(({ name }) => name === page);
  const nav = useRef<HTMLElement>(null);
  const siteId = site.value?.id;
  useEffect(() => (siteId ? connect(siteId) : undefined), [siteId]);
  useEffect(() => onEvent(notify), []);
  // On a phone the navigation is one scrollable row, so the current page must be scrolled into view.
  useEffect(() => nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }), [page]);
  const who = viewer.value!.member?.name ?? KEY_KINDS[viewer.value!.kind] ?? "API key";
  return (
    <div class="frame" onClick={follows}>
      <a class="skip" href="#main">Skip to content</a>
      <aside class="sidebar">
        <p class="brand"><a href={pathOf("overview")}><Logo />HelpBot</a></p>
        <p class="site" dir="auto">{site.value?.name ?? "No site selected"}</p>
        <button type="button" class="jump" onClick={openPalette}><Icon name="command" /><span>Go to…</span><kbd aria-hidden="true">{PALETTE_KEY}</kbd></button>
        <nav aria-label="Pages" ref={nav}>
          {PAGES.map(({ name, title, group }) => (
            <Fragment key={name}>
              {group && <p>{group}</p>}
              <a href={pathOf(name)} aria-current={name === page ? "page" : undefined}><Icon name={name} />{title}{name === "inbox" && waiting.value > 0 && <span class="count"> ({waiting.value})</span>}</a>
            </Fragment>))}
          {isOperator && <a href={pathOf("sites")} aria-current={page === "sites" ? "page" : undefined}><Icon name="sites" />Sites</a>}
        </nav>
        <div class="account">
          <span class="avatar" aria-hidden="true">{who.slice(0, 1).toUpperCase()}</span>
          <p class="me">{who}</p>
          <SchemeButton />
          <button type="button" class="quiet signout" aria-label="Sign out" onClick={leave}><Icon name="signOut" /><span>Sign out</span></button>
        </div>
      </aside>
      <main id="main" tabIndex={-1} class={site.value && WIDE.includes(page) ? "wide" : ""}>
        {!site.value || page === "sites" ? <SitesPage /> : found ? <found.Body key={site.value.id} /> : <Unknown />}
      </main>
      <Palette commands={commands()} />
      <Toasts />
    </div>
  );
}

/** Switches between the color schemes. */
function SchemeButton() {
  const at = SCHEMES.findIndex(([scheme]) => scheme === colorScheme.now.value);
  const [next, text] = SCHEMES[(at + 1) % SCHEMES.length]!;
  return <button type="button" class="quiet square" aria-label={text} title={text} onClick={() => colorScheme.set(next)}><Icon name={SCHEMES[at]![2]} /></button>;
}

function Unknown() {
  return <Page title="Not found"><Empty title="This page does not exist"><p>The address may be misspelled. Open a page in the navigation.</p></Empty></Page>;
}

function App() {
  useEffect(() => void resume(), []);
  if (!isReady.value) return <p class="loading" role="status">Loading…</p>;
  return viewer.value ? <Frame /> : <SignInPage />;
}

render(<App />, document.getElementById("app")!);
