// The entry point of the dashboard: navigation and the selected page for the signed-in user. It uses only the public GraphQL API.

import { type ComponentType, Fragment, render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type Scope, SignOut } from "../generated/dashboard";
import { isReady, linkToken, may, resume, run, signOut, site, viewer } from "./client";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/pages.css";
import { AnswersPage } from "./pages/answers";
import { AuditPage } from "./pages/audit";
import { CannedPage } from "./pages/canned";
import { ConversationsPage } from "./pages/conversations";
import { HoursPage } from "./pages/hours";
import { InboxPage } from "./pages/inbox";
import { KeysPage } from "./pages/keys";
import { LabPage } from "./pages/lab";
import { MembersPage } from "./pages/members";
import { VisitorsPage } from "./pages/visitors";
import { OverviewPage } from "./pages/overview";
import { LinkPage, SignInPage } from "./pages/signin";
import { SitesPage } from "./pages/sites";
import { SourcesPage } from "./pages/sources";
import { TopicsPage } from "./pages/topics";
import { WebhooksPage } from "./pages/webhooks";
import { WidgetPage } from "./pages/widget";
import { Icon, type IconName } from "./icons";
import { KEY_KINDS } from "./labels";
import { unread, waiting } from "./attention";
import { connect, onEvent } from "./live";
import { notify } from "./notify";
import { type Command, PALETTE_KEY, Palette, openPalette } from "./palette";
import { follows, go, pathOf, route } from "./route";
import { type Scheme, colorScheme } from "./settings";
import { Toasts, finishAll } from "./toasts";
import { Empty, Logo, Page, counted } from "./ui";

/** The pages in the order of the navigation, and the scope without which a page is hidden. */
const PAGES: PageEntry[] = [
  { name: "overview", title: "Overview", Body: OverviewPage },
  { name: "inbox", title: "Inbox", Body: InboxPage, needs: "READ_CONVERSATIONS" },
  { name: "conversations", title: "Conversations", Body: ConversationsPage, needs: "READ_CONVERSATIONS" },
  { name: "topics", title: "Unanswered", Body: TopicsPage, group: "Knowledge", needs: "READ_ANALYTICS" },
  { name: "answers", title: "Answers", Body: AnswersPage, group: "Knowledge", needs: "READ_SOURCES" },
  { name: "sources", title: "Sources", Body: SourcesPage, group: "Knowledge", needs: "READ_SOURCES" },
  { name: "lab", title: "Answer lab", Body: LabPage, group: "Knowledge", needs: "CHAT" },
  { name: "widget", title: "Widget", Body: WidgetPage, group: "Settings", needs: "READ_CONFIG" },
  { name: "canned", title: "Canned replies", Body: CannedPage, group: "Settings", needs: "READ_CONVERSATIONS" },
  { name: "hours", title: "Business hours", Body: HoursPage, group: "Settings", needs: "READ_CONFIG" },
  { name: "keys", title: "API keys", Body: KeysPage, group: "Settings", needs: "ADMIN" },
  { name: "webhooks", title: "Webhooks", Body: WebhooksPage, group: "Settings", needs: "WEBHOOKS" },
  { name: "members", title: "Members", Body: MembersPage, group: "Settings", needs: "READ_CONVERSATIONS" },
  { name: "visitors", title: "Protection", Body: VisitorsPage, group: "Settings", needs: "READ_CONVERSATIONS" },
  { name: "audit", title: "Audit log", Body: AuditPage, group: "Settings", needs: "ADMIN" },
];

/** The pages that the signed-in user may open. The server decides; a hidden page would only show refusals. */
const allowed = () => PAGES.filter(({ needs }) => !needs || may(needs));

interface PageEntry {
  name: IconName;
  title: string;
  Body: ComponentType;
  group?: string;
  needs?: Scope;
}

/** Pages whose panes fill the window. */
const WIDE = ["inbox", "conversations"];
const SCHEMES: Array<[Scheme, string, IconName]> = [["system", "Use the color scheme of the system", "system"], ["light", "Use light colors", "sun"], ["dark", "Use dark colors", "moon"]];

/** Signs out after what still waits has been sent with the key. */
function leave(): void {
  finishAll();
  // Sent with the key before it is forgotten. When the server cannot be reached, the key expires by itself.
  if (viewer.value?.kind === "SIGN_IN") void run(SignOut, { input: {} }).catch(() => undefined);
  signOut();
}

function commands(): Command[] {
  const isOperator = viewer.value!.kind === "OPERATOR";
  return [
    ...allowed().map(({ name, title }) => ({ title, hint: "Page", icon: name, run: () => go(pathOf(name)) })),
    ...isOperator ? [{ title: "Sites", hint: "Page", icon: "sites" as const, run: () => go(pathOf("sites")) }] : [],
    ...SCHEMES.map(([scheme, title, icon]) => ({ title, hint: "Appearance", icon, run: () => colorScheme.set(scheme) })),
    { title: "Open the GraphQL explorer", hint: "Developers", icon: "external", run: () => void location.assign("/graphiql") },
    { title: "Sign out of the dashboard", hint: "Account", icon: "signOut", run: leave },
  ];
}

function Frame() {
  const { page } = route.value;
  const isOperator = viewer.value!.kind === "OPERATOR";
  const pages = allowed();
  const found = pages.find(({ name }) => name === page);
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
          {pages.map(({ name, title, group }, at) => (
            <Fragment key={name}>
              {group && group !== pages[at - 1]?.group && <p>{group}</p>}
              <a href={pathOf(name)} aria-current={name === page ? "page" : undefined}><Icon name={name} />{title}{name === "inbox" && waiting.value > 0 && <span class="count"> ({waiting.value})</span>}{name === "inbox" && unread.value > 0 && <span class="unread" title={counted(unread.value, "unread message")}>{unread.value}<span class="sr"> unread</span></span>}</a>
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
  if (PAGES.some(({ name }) => name === route.value.page)) {
    return <Page title="Not allowed"><Empty title="Your role does not include this page"><p>An admin of the site can change your role under Members.</p></Empty></Page>;
  }
  return <Page title="Not found"><Empty title="This page does not exist"><p>The address may be misspelled. Open a page in the navigation.</p></Empty></Page>;
}

function App() {
  useEffect(() => void resume(), []);
  if (!isReady.value) return <p class="loading" role="status">Loading…</p>;
  if (linkToken.value) return <LinkPage />;
  return viewer.value ? <Frame /> : <SignInPage />;
}

render(<App />, document.getElementById("app")!);
