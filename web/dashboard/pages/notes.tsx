// The notes of a conversation, which only the team sees: a list that events keep current, and the form for a new one.

import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { AddNote, DeleteNote, Notes, type NotesResult, type TeamNote } from "../../generated/dashboard";
import { isOfInputMethod } from "../../text/keys";
import { change, may, run, site, viewer } from "../client";
import { draftOf, keepDraft, noteOf } from "../drafts";
import { Icon } from "../icons";
import { onEvent, onStale } from "../live";
import { isRemoved, remove } from "../toasts";
import { Act, Fault, TooLong, When, useAction } from "../ui";

/** The server accepts no longer note. */
const NOTE_MAX = 4000;

/** All notes of a conversation, oldest first. */
async function readAll(id: string): Promise<TeamNote[]> {
  let all: TeamNote[] = [];
  for (let before: string | null = null; ;) {
    const { node }: NotesResult = await run(Notes, { id, before });
    all = [...node?.notes?.nodes ?? [], ...all];
    if (!node?.notes?.pageInfo.hasPreviousPage) return all;
    before = node.notes.pageInfo.startCursor;
  }
}

/** The notes of a conversation. Read again when one was written or deleted. */
export function useNotes(id: string): { notes: ReadonlySignal<TeamNote[]>; read(): void } {
  const notes = useSignal<TeamNote[]>([]);
  const read = () => {
    readAll(id).then((all) => void (notes.value = all), () => {});
  };
  useEffect(() => {
    read();
    const stop = [onStale(read), onEvent((event) => event.conversationId === id && event.type.includes("NOTE") && read())];
    return () => stop.forEach((end) => end());
  }, [id]);
  return { notes, read };
}

export function Note({ note, onChange }: { note: TeamNote; onChange(): void }) {
  if (isRemoved(note.id)) return null;
  const isOwn = note.author !== null && note.author.id === viewer.value?.member?.id;
  const erase = () => remove(note.id, "The note was deleted.", async () => {
    await change(DeleteNote, { input: { noteId: note.id, siteId: site.value!.id } });
    onChange();
  });
  return (
    <article class="line note">
      <p class="hint"><Icon name="note" /> {note.authorName ?? "Team"} · <When at={note.createdAt} /> · only the team sees this
        {(isOwn || may("ADMIN")) && <button type="button" class="quiet" aria-label={`Delete the note “${note.text.slice(0, 40)}”`} onClick={erase}><Icon name="trash" /></button>}</p>
      <div class="markdown" dir="auto">{note.text}</div>
    </article>
  );
}

export function NoteForm({ id, onDone }: { id: string; onDone(): void }) {
  const text = useSignal(draftOf(noteOf(id)));
  const write = (words: string) => {
    text.value = words;
    keepDraft(noteOf(id), words);
  };
  const { isBusy, error, act } = useAction();
  const save = (event: Event) => {
    event.preventDefault();
    if (!text.value.trim() || text.value.trim().length > NOTE_MAX) return;
    void act(async () => {
      await change(AddNote, { input: { conversationId: id, text: text.value.trim(), siteId: site.value!.id } });
      write("");
      onDone();
    });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && !isOfInputMethod(event)) save(event);
  };
  return (
    <form class="reply noting" onSubmit={save}>
      <textarea aria-label="Note for the team" rows={2} value={text.value} placeholder="Write a note that only the team sees…" dir="auto"
        onInput={(e) => write(e.currentTarget.value)} onKeyDown={onKey} />
      <TooLong text={text.value} max={NOTE_MAX} />
      <Fault text={error} />
      <span class="hint">Visitors never see notes.</span>
      <button type="submit" class="solid" disabled={isBusy}><Act icon="note">Save the note</Act></button>
    </form>
  );
}
