// Sources: add a URL or a file, follow its sync, and see the result for each page.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import {
  AddSource, CancelSync, DeleteSource, Pages, type PagesResult, type SourceRow, type SyncSchedule, SyncScheduleValues, type SyncScope, SyncScopeValues, Sources, SyncSource,
  UpdateSource, UploadSource,
} from "../../generated/dashboard";
import { change, may, run, site, upload } from "../client";
import { Extraction } from "./extraction";
import { isRemoved, remove } from "../toasts";
import { Act, Badge, Empty, Fault, Field, Loading, Page, Pager, Skeleton, type Trail, When, counted, sayError, useAction, useQuery } from "../ui";

const POLL_MS = 2500;
const FILES = "PDF, DOCX, XLSX, PPTX, ODT, ODS, ODP, HTML, Markdown, text or CSV";
const SCOPES: Record<SyncScope, string> = { PAGE: "Only this page", SECTION: "This page and the pages below it", SITE: "The whole site" };
const SCHEDULES: Record<SyncSchedule, string> = { NONE: "Only manually", HOURLY: "Every hour", DAILY: "Every day", WEEKLY: "Every week", MONTHLY: "Every month" };

export function SourcesPage() {
  const trail = useSignal<Trail>([null]);
  const loaded = useQuery(Sources, { site: site.value!.id, after: trail.value.at(-1) ?? null });
  const note = useSignal("");
  const { isBusy, error, act } = useAction();
  const nodes = loaded.data?.site?.sources?.nodes ?? [];
  const isSyncing = nodes.some(({ status }) => status === "PENDING" || status === "SYNCING");
  useEffect(() => {
    if (!isSyncing) return undefined;
    const timer = setInterval(() => document.hidden || loaded.reload(), POLL_MS);
    return () => clearInterval(timer);
  }, [isSyncing]);
  const take = (field: HTMLInputElement) => {
    const file = field.files?.[0];
    if (!file) return;
    void act(async () => {
      const { isNew } = await upload(UploadSource, { siteId: site.value!.id }, file);
      note.value = isNew ? "The file was added. Its sync has started." : "The file was replaced. Its sync has started.";
      field.value = "";
      loaded.reload();
    });
  };
  const canWrite = may("WRITE_SOURCES");
  const tools = canWrite && (
    <label class="button file" title={`${FILES}, at most 20 MB. A file with the same name is replaced.`}><Act icon="upload">Upload a file</Act>
      <input class="sr" type="file" accept=".pdf,.docx,.xlsx,.pptx,.odt,.ods,.odp,.html,.htm,.md,.txt,.csv" disabled={isBusy} onChange={(e) => take(e.currentTarget)} /></label>);
  return (
    <Page title="Sources" about="The pages and files that answers come from." tools={tools}>
      {canWrite && <AddForm onDone={(text) => { note.value = text; loaded.reload(); }} />}
      <Fault text={error} />
      <p class="hint" role="status">{note.value}</p>
      <Loading of={loaded}>{({ site: found }) => {
        const sources = found?.sources;
        if (!sources) return <Fault text="Your key does not have permission to read sources, or your plan does not include them." />;
        if (!sources.nodes.length) return <Empty title="No sources yet"><p>Add the URL of your FAQ or help pages above, or upload a file. The sync runs in the background. Answers use the new content as soon as it has finished.</p></Empty>;
        return (
          <>
            <ul class="cards">{sources.nodes.filter(({ id }) => !isRemoved(id)).map((source) => <Item key={source.id} source={source} canWrite={canWrite} onChange={loaded.reload} />)}</ul>
            <Pager trail={trail} info={sources.pageInfo} />
          </>
        );
      }}</Loading>
    </Page>
  );
}

/** Adds a page, a section or a whole site. An address that exists already gets the chosen settings. */
function AddForm({ onDone }: { onDone(note: string): void }) {
  const url = useSignal("");
  const scope = useSignal<SyncScope | null>(null);
  const schedule = useSignal<SyncSchedule>("NONE");
  const limits = useSignal<Limits>({ maxPages: null, maxDepth: null });
  const { isBusy, error, act } = useAction();
  // A URL without a path stands for the whole site, until the user chooses another scope.
  const chosen = scope.value ?? (isBareHost(url.value) ? "SITE" : "PAGE");
  const add = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      const siteId = site.value!.id;
      const settings = { scope: chosen, schedule: schedule.value, ...limits.value.maxPages !== null && { maxPages: limits.value.maxPages }, ...limits.value.maxDepth !== null && { maxDepth: limits.value.maxDepth } };
      const { source, isNew } = await change(AddSource, { input: { url: url.value.trim(), ...settings, siteId } });
      const isOther = !isNew && source !== null && Object.entries(settings).some(([name, value]) => source[name as keyof SourceRow] !== value);
      if (isOther) {
        await change(UpdateSource, { input: { id: source.id, siteId, ...settings } });
        await change(SyncSource, { input: { sourceId: source.id, siteId } });
      }
      url.value = "";
      scope.value = null;
      onDone(isNew ? "The source was added. Its sync has started." : isOther ? "This source already existed. Its settings were changed, and a sync has started." : "This source already exists.");
    });
  };
  return (
    <form class="card add" onSubmit={add}>
      <div class="filters">
        <Field label="URL of a page or site">
          {(f) => <input {...f} type="url" required maxLength={2048} placeholder="https://shop.example/faq" value={url.value} onInput={(e) => void (url.value = e.currentTarget.value)} />}
        </Field>
        <Choice label="Scope" values={SyncScopeValues} texts={SCOPES} chosen={chosen} onChoose={(value) => void (scope.value = value)} />
        <Choice label="Sync schedule" values={SyncScheduleValues} texts={SCHEDULES} chosen={schedule.value} onChoose={(value) => void (schedule.value = value)} />
        <button type="submit" class="solid" disabled={isBusy}><Act icon="plus">Add</Act></button>
      </div>
      <details><summary>Limits</summary><LimitFields limits={limits.value} onChange={(value) => void (limits.value = value)} />
        <p class="hint">The rules in robots.txt are respected. The report of a source shows what was left out and why.</p></details>
      <Fault text={error} />
    </form>
  );
}

interface Limits {
  maxPages: number | null;
  maxDepth: number | null;
}

/** How far a sync goes. An empty field means the default. */
function LimitFields({ limits, onChange }: { limits: Limits; onChange(limits: Limits): void }) {
  const field = (label: string, name: keyof Limits, min: number, max: number, hint: string) => (
    <Field label={label} hint={hint}>{(f) => <input {...f} type="number" min={min} max={max} step={1} value={limits[name] ?? ""}
      onChange={(e) => e.currentTarget.checkValidity() && onChange({ ...limits, [name]: e.currentTarget.value === "" ? null : Number(e.currentTarget.value) })} />}</Field>
  );
  return <div class="filters limits">{field("Pages at most", "maxPages", 1, 10_000, "1 to 10,000")}{field("Links from the start at most", "maxDepth", 0, 50, "0 to 50")}</div>;
}

/** Whether a URL names a host without a path. */
function isBareHost(url: string): boolean {
  try {
    const { pathname, search } = new URL(url.trim());
    return pathname === "/" && search === "";
  } catch {
    return false;
  }
}

interface ChoiceProps<T extends string> {
  label: string;
  values: readonly T[];
  texts: Record<T, string>;
  chosen: T;
  onChoose(value: T): void;
}

function Choice<T extends string>({ label, values, texts, chosen, onChoose }: ChoiceProps<T>) {
  return (
    <Field label={label}>{(f) => <select {...f} value={chosen} onChange={(e) => onChoose(e.currentTarget.value as T)}>
      {values.map((value) => <option key={value} value={value}>{texts[value]}</option>)}</select>}</Field>
  );
}

/** The progress of the running sync, or the result of the last one. */
function Progress({ source: { status, url, lastSync } }: { source: SourceRow }) {
  const isSyncing = status === "PENDING" || status === "SYNCING";
  if (!lastSync) return isSyncing ? <progress aria-label={`Sync of ${url}`} /> : null;
  const { planned, remaining, leftOut, fetched, unchanged, skipped, failed } = lastSync;
  const done = fetched + unchanged + skipped + failed;
  const parts = ([[fetched, "fetched"], [unchanged, "unchanged"], [skipped, "skipped"], [failed, "failed"]] as const).filter(([count]) => count > 0);
  return (
    <>
      {isSyncing && <progress aria-label={`Sync of ${url}`} {...lastSync.finishedAt ? {} : { value: done, max: Math.max(planned, done, 1) }} />}
      <p class="hint" role="status">{isSyncing && !lastSync.finishedAt && `${planned} pages found, ${remaining} left to visit: `}{parts.map(([count, what]) => `${count} ${what}`).join(", ")}</p>
      {leftOut.length > 0 && <ul class="hint">{leftOut.map(({ reason, count }) => <li key={reason}>{counted(count, "URL")}: {reason.replace(/^Left out: /, "")}</li>)}</ul>}
    </>
  );
}

function Item({ source, canWrite, onChange }: { source: SourceRow; canWrite: boolean; onChange(): void }) {
  const { isBusy, error, act } = useAction();
  const isShown = useSignal(false);
  const input = { id: source.id, siteId: site.value!.id };
  const set = (what: { scope?: SyncScope; schedule?: SyncSchedule; maxPages?: number; maxDepth?: number }) => void act(async () => {
    await change(UpdateSource, { input: { ...input, ...what } });
    onChange();
  });
  const isSyncing = source.status === "PENDING" || source.status === "SYNCING";
  const cancel = () => void act(async () => {
    await change(CancelSync, { input: { sourceId: source.id, siteId: input.siteId } });
    onChange();
  });
  const sync = () => void act(async () => {
    await change(SyncSource, { input: { sourceId: source.id, siteId: input.siteId } });
    onChange();
  });
  return (
    <li class="card">
      <div class="row between">
        <div class="grow">
          <h2 dir="auto">{source.title || source.url}</h2>
          {source.kind === "URL" ? <a class="break" href={source.url} target="_blank" rel="noopener noreferrer">{source.url}</a> : <span class="break">{source.url}</span>}
          <p class="hint row"><Badge value={source.status} /> {counted(source.pageCount, "page")}, {counted(source.chunkCount, "passage")}
            {source.lastSyncedAt && <span>last sync <When at={source.lastSyncedAt} /></span>}{source.nextSyncAt && <span>next sync <When at={source.nextSyncAt} /></span>}</p>
          <Progress source={source} />
        </div>
        {canWrite && (
          <div class="row">
            {source.kind !== "TEXT" && (
              <button type="button" aria-label={`Sync now: ${source.url}`} disabled={isBusy || source.status === "SYNCING"} onClick={sync}><Act icon="sync">Sync now</Act></button>)}
            {isSyncing && <button type="button" aria-label={`Cancel the sync of ${source.url}`} disabled={isBusy} onClick={cancel}><Act icon="x">Cancel the sync</Act></button>}
            <button type="button" class="quiet danger" aria-label={`Delete ${source.url}`}
              onClick={() => remove(source.id, "The source and all its passages were deleted.", async () => { await change(DeleteSource, { input }); onChange(); })}><Act icon="trash">Delete</Act></button>
          </div>)}
      </div>
      <Fault text={error} />
      {source.error && <p class="fault">{source.error}</p>}
      <details onToggle={(e) => void (isShown.value = e.currentTarget.open)}>
        <summary>Page report{source.kind === "URL" && canWrite && " and settings"}</summary>
        {isShown.value && (
          <>
            {source.kind === "URL" && canWrite && (
              <div class="filters">
                <Choice label="Scope" values={SyncScopeValues} texts={SCOPES} chosen={source.scope} onChoose={(scope) => set({ scope })} />
                <Choice label="Sync schedule" values={SyncScheduleValues} texts={SCHEDULES} chosen={source.schedule} onChoose={(schedule) => set({ schedule })} />
                <LimitFields limits={source} onChange={({ maxPages, maxDepth }) => set({ ...maxPages !== null && { maxPages }, ...maxDepth !== null && { maxDepth } })} />
              </div>)}
            <Report key={source.lastSyncedAt ?? ""} id={source.id} />
          </>)}
      </details>
    </li>
  );
}

type Crawled = NonNullable<NonNullable<PagesResult["node"]>["pages"]>;

function Report({ id }: { id: string }) {
  const pages = useSignal<Crawled["nodes"]>([]);
  const next = useSignal<string | null>(null);
  const total = useSignal<number | null>(null);
  const error = useSignal("");
  const load = (after: string | null) => run(Pages, { id, after }).then(({ node }) => {
    const found = node?.pages;
    pages.value = [...after ? pages.value : [], ...found?.nodes ?? []];
    next.value = found?.pageInfo.hasNextPage ? found.pageInfo.endCursor : null;
    total.value = found?.totalCount ?? 0;
  }, (reason) => void (error.value = sayError(reason)));
  useEffect(() => void load(null), [id]);
  if (error.value) return <Fault text={error.value} />;
  if (total.value === null) return <Skeleton />;
  if (total.value === 0) return <p>No page has been fetched yet.</p>;
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Page report"><table>
        <thead><tr><th scope="col">Page</th><th scope="col">Outcome</th><th scope="col">Passages</th><th scope="col">Fetched</th></tr></thead>
        <tbody>{pages.value.map((page) => (
          <tr key={page.id}>
            <td class="break">{page.title && <><span dir="auto">{page.title}</span><br /></>}<span class="hint">{page.url}</span>
              {page.chunkCount > 0 && <Details id={id} url={page.url} />}</td>
            <td><Badge value={page.outcome} />{page.reason && <p class="hint">{page.reason}</p>}</td>
            <td>{page.chunkCount}</td><td><When at={page.fetchedAt} /></td>
          </tr>))}</tbody>
      </table></div>
      {next.value && <button type="button" onClick={() => void load(next.value)}>Show more of {total.value}</button>}
    </>
  );
}

/** What was read on a page, loaded when it is opened. */
function Details({ id, url }: { id: string; url: string }) {
  const isOpen = useSignal(false);
  return (
    <details onToggle={(e) => void (isOpen.value = e.currentTarget.open)}>
      <summary aria-label={`What was read on ${url}`}>What was read</summary>
      {isOpen.value && <Extraction source={id} url={url} />}
    </details>
  );
}
