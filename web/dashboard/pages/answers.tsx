// FAQ entries: questions with answers that the owner wrote or that a sync found, and their alternative phrasings.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { AddEntry, AddPhrasing, DeleteEntry, Entries, type Entry, ImportEntries, UpdateEntry } from "../../generated/dashboard";
import { change, may, site, upload } from "../client";
import { param, pathOf, setParams } from "../route";
import { isRemoved, remove } from "../toasts";
import { EffectOfChange } from "./effect";
import { Act, Drawer, Empty, Fault, Field, Loading, Markdown, Page, useAction, useQuery } from "../ui";

export function AnswersPage() {
  const search = param("q");
  const typed = useSignal(search);
  const trail = useSignal<Array<string | null>>([null]);
  const isAdding = useSignal(false);
  const loaded = useQuery(Entries, { site: site.value!.id, search: search || null, after: trail.value.at(-1) ?? null });
  const canWrite = may("WRITE_SOURCES");
  useEffect(() => {
    typed.value = search;
    trail.value = [null];
  }, [search]);
  const find = (event: Event) => {
    event.preventDefault();
    setParams({ q: typed.value.trim() }, true);
  };
  return (
    <Page title="Answers" about="The FAQ entries that answers come from, written here or read from your sources." tools={canWrite && <button type="button" class="solid" onClick={() => void (isAdding.value = true)} aria-haspopup="dialog"><Act icon="plus">Write an answer</Act></button>}>
      {isAdding.value && (
        <Drawer title="Write an answer" onClose={() => void (isAdding.value = false)}>
          <Form onDone={() => { isAdding.value = false; loaded.reload(); }} />
          <Import onDone={loaded.reload} />
        </Drawer>)}
      <form class="filters" role="search" onSubmit={find}>
        <Field label="Search">{(f) => <input {...f} type="search" maxLength={200} value={typed.value} onInput={(e) => void (typed.value = e.currentTarget.value)} />}</Field>
        <button type="submit">Search</button>
      </form>
      <Loading of={loaded}>{({ site: found }) => {
        const entries = found?.faqEntries;
        if (!entries?.nodes.length) {
          return search ? <Empty title="No results"><p>Try a shorter search.</p></Empty>
            : <Empty title="No answers yet"><p>Write one here, or add a page with questions under <a href={pathOf("sources")}>Sources</a>.</p></Empty>;
        }
        return (
          <>
            <p class="hint">{entries.totalCount} entries</p>
            <ul class="cards">{entries.nodes.filter(({ id }) => !isRemoved(id)).map((entry) => <Item key={entry.id} entry={entry} canWrite={canWrite} onChange={loaded.reload} />)}</ul>
            <nav class="pager row" aria-label="Pages of the list">
              <button type="button" disabled={trail.value.length < 2} onClick={() => void (trail.value = trail.value.slice(0, -1))}>Previous</button>
              <button type="button" disabled={!entries.pageInfo.hasNextPage} onClick={() => void (trail.value = [...trail.value, entries.pageInfo.endCursor])}>Next</button>
            </nav>
          </>
        );
      }}</Loading>
    </Page>
  );
}

/** Imports entries from a file. Either all rows are imported or none. */
function Import({ onDone }: { onDone(): void }) {
  const note = useSignal("");
  const { isBusy, error, act } = useAction();
  const take = (field: HTMLInputElement) => {
    const file = field.files?.[0];
    if (!file) return;
    void act(async () => {
      const { added, updated, unchanged } = await upload(ImportEntries, { siteId: site.value!.id }, file);
      note.value = `${added} added, ${updated} updated, ${unchanged} unchanged.`;
      field.value = "";
      onDone();
    });
  };
  return (
    <div class="card">
      <Field label="Import from a file" hint="A CSV file with the columns question, answer, url and phrasings, or a JSON Lines file.">
        {(f) => <input {...f} type="file" accept=".csv,.tsv,.jsonl" disabled={isBusy} onChange={(e) => take(e.currentTarget)} />}
      </Field>
      <Fault text={error} />
      <p class="hint" role="status">{note.value}</p>
    </div>
  );
}

/** A form for a new entry, or for `entry` when it is given. */
function Form({ entry, onDone }: { entry?: Entry; onDone(): void }) {
  const question = useSignal(entry?.question ?? "");
  const answer = useSignal(entry?.answer ?? "");
  const { isBusy, error, act } = useAction();
  const save = (event: Event) => {
    event.preventDefault();
    const words = { question: question.value.trim(), answer: answer.value.trim(), siteId: site.value!.id };
    void act(async () => {
      await (entry ? change(UpdateEntry, { input: { id: entry.id, ...words } }) : change(AddEntry, { input: words }));
      onDone();
    });
  };
  const described = () => {
    const words = { question: question.value.trim(), answer: answer.value.trim() };
    return entry ? { updateEntry: { id: entry.id, ...words } } : { addEntry: words };
  };
  return (
    <form class="card" onSubmit={save}>
      <Field label="Question">{(f) => <input {...f} required value={question.value} dir="auto" onInput={(e) => void (question.value = e.currentTarget.value)} />}</Field>
      <Field label="Answer" hint="Markdown is supported: **bold**, lists and links.">{(f) => <textarea {...f} rows={4} required value={answer.value} dir="auto" onInput={(e) => void (answer.value = e.currentTarget.value)} />}</Field>
      <Fault text={error} />
      <button type="submit" class="solid" disabled={isBusy}>Save</button>
      <EffectOfChange key={`${question.value}\n${answer.value}`} describe={described} onPublished={onDone} />
    </form>
  );
}

function Item({ entry, canWrite, onChange }: { entry: Entry; canWrite: boolean; onChange(): void }) {
  const isEditing = useSignal(false);
  const phrasing = useSignal("");
  const { isBusy, error, act } = useAction();
  const siteId = site.value!.id;
  const addPhrasing = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      await change(AddPhrasing, { input: { entryId: entry.id, phrasing: phrasing.value.trim(), siteId } });
      phrasing.value = "";
      onChange();
    });
  };
  return (
    <li class="card">
      <details>
        <summary><strong dir="auto">{entry.question}</strong></summary>
        <Markdown text={entry.answer} />
        {entry.url && <p class="hint break">Source: <a href={entry.url} target="_blank" rel="noopener noreferrer">{entry.url}</a></p>}
        {entry.phrasings.length > 0 && <p class="hint">Also asked as: {entry.phrasings.join(" · ")}</p>}
        {canWrite && (
          <>
            <form class="filters" onSubmit={addPhrasing}>
              <Field label="Another way to ask it">{(f) => <input {...f} required maxLength={1000} value={phrasing.value} dir="auto" onInput={(e) => void (phrasing.value = e.currentTarget.value)} />}</Field>
              <button type="submit" disabled={isBusy}>Add</button>
            </form>
            {phrasing.value.trim() && <EffectOfChange key={phrasing.value} describe={() => ({ addPhrasing: { entryId: entry.id, phrasing: phrasing.value.trim() } })} onPublished={() => { phrasing.value = ""; onChange(); }} />}
            <div class="row">
              <button type="button" aria-expanded={isEditing.value} onClick={() => void (isEditing.value = !isEditing.value)}><Act icon="edit">Edit</Act></button>
              <button type="button" class="quiet danger" aria-label={`Delete ${entry.question}`}
                onClick={() => remove(entry.id, "The answer was deleted.", async () => { await change(DeleteEntry, { input: { id: entry.id, siteId } }); onChange(); })}><Act icon="trash">Delete</Act></button>
            </div>
          </>)}
        <Fault text={error} />
        {isEditing.value && <Form entry={entry} onDone={() => { isEditing.value = false; onChange(); }} />}
      </details>
    </li>
  );
}
