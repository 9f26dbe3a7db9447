// The notes of a conversation, which only the team sees: a list that events keep current, and the form for a new one.

import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { AddNote, DeleteNote, Notes, type TeamNote } from "../../generated/dashboard";
import { change, may, run, site, viewer } from "../client";
import { Icon } from "../icons";
import { onEvent, onStale } from "../live";
import { isRemoved, remove } from "../toasts";
import { Act, Fault, When, useAction } from "../ui";

/** The notes of a conversation. Read again when one was written or deleted. */
export function useNotes(id: string): { notes: ReadonlySignal<TeamNote[]>; read(): void } {
  const notes = useSignal<TeamNote[]>([]);
  const read = () => {
    run(Notes, { id }).then(({ node }) => void (notes.value = node?.notes?.nodes ?? []), () => {});
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
  const text = useSignal("");
  const { isBusy, error, act } = useAction();
  const save = (event: Event) => {
    event.preventDefault();
    if (!text.value.trim()) return;
    void act(async () => {
      await change(AddNote, { input: { conversationId: id, text: text.value.trim(), siteId: site.value!.id } });
      text.value = "";
      onDone();
    });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && !event.isComposing) save(event);
  };
  return (
    <form class="reply noting" onSubmit={save}>
      <textarea aria-label="Note for the team" rows={2} maxLength={4000} value={text.value} placeholder="Write a note that only the team sees…" dir="auto"
        onInput={(e) => void (text.value = e.currentTarget.value)} onKeyDown={onKey} />
      <Fault text={error} />
      <span class="hint">Visitors never see notes.</span>
      <button type="submit" class="solid" disabled={isBusy}><Act icon="note">Save the note</Act></button>
    </form>
  );
}
