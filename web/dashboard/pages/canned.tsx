// Canned replies: the page that manages them, and the list in the reply form that inserts one.

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { AddCanned, type Canned, CannedReplies, DeleteCanned, RenderedReplies, type RenderedRepliesResult, UpdateCanned } from "../../generated/dashboard";
import { change, may, run, site } from "../client";
import { Icon } from "../icons";
import { pathOf } from "../route";
import { isRemoved, remove } from "../toasts";
import { Act, Drawer, Empty, Fault, Field, Loading, Page, Pager, Skeleton, type Trail, sayError, useAction, useQuery } from "../ui";

const PLACEHOLDERS = ["visitor.email", "conversation.question", "agent.name", "site.name"];

export function CannedPage() {
  const trail = useSignal<Trail>([null]);
  const loaded = useQuery(CannedReplies, { site: site.value!.id, after: trail.value.at(-1) ?? null });
  const isAdding = useSignal(false);
  const canWrite = may("WRITE_CONVERSATIONS");
  return (
    <Page title="Canned replies" about="Texts that your team sends often. Members insert them in the inbox with the button Replies."
      tools={canWrite && <button type="button" class="solid" aria-haspopup="dialog" onClick={() => void (isAdding.value = true)}><Act icon="plus">New reply</Act></button>}>
      {isAdding.value && <Drawer title="New reply" onClose={() => void (isAdding.value = false)}><Form onDone={() => { isAdding.value = false; loaded.reload(); }} /></Drawer>}
      <Loading of={loaded}>{({ site: found }) => {
        const list = found?.cannedReplies;
        if (!list) return <Fault text="Your key does not have permission to read canned replies." />;
        if (!list.nodes.length) return <Empty title="No canned replies yet"><p>Write a text once and use it in every conversation, with the visitor's question and address filled in.</p></Empty>;
        return (
          <>
            <ul class="cards">{list.nodes.filter(({ id }) => !isRemoved(id)).map((reply) => <Item key={reply.id} reply={reply} canWrite={canWrite} onChange={loaded.reload} />)}</ul>
            <Pager trail={trail} info={list.pageInfo} />
          </>
        );
      }}</Loading>
    </Page>
  );
}

function Item({ reply, canWrite, onChange }: { reply: Canned; canWrite: boolean; onChange(): void }) {
  const isEditing = useSignal(false);
  return (
    <li class="card">
      <details><summary><strong dir="auto">{reply.name}</strong></summary>
        <p class="break" dir="auto">{reply.text}</p>
        {canWrite && (
          <div class="row">
            <button type="button" aria-expanded={isEditing.value} onClick={() => void (isEditing.value = !isEditing.value)}><Act icon="edit">Edit</Act></button>
            <button type="button" class="quiet danger" aria-label={`Delete ${reply.name}`}
              onClick={() => remove(reply.id, "The canned reply was deleted.", async () => { await change(DeleteCanned, { input: { cannedReplyId: reply.id, siteId: site.value!.id } }); onChange(); })}><Act icon="trash">Delete</Act></button>
          </div>)}
        {isEditing.value && <Form reply={reply} onDone={() => { isEditing.value = false; onChange(); }} />}
      </details>
    </li>
  );
}

/** A form for a new reply, or for `reply` when it is given. */
function Form({ reply, onDone }: { reply?: Canned; onDone(): void }) {
  const name = useSignal(reply?.name ?? "");
  const text = useSignal(reply?.text ?? "");
  const { isBusy, error, act } = useAction();
  const save = (event: Event) => {
    event.preventDefault();
    const words = { name: name.value.trim(), text: text.value.trim(), siteId: site.value!.id };
    void act(async () => {
      await (reply ? change(UpdateCanned, { input: { cannedReplyId: reply.id, ...words } }) : change(AddCanned, { input: words }));
      onDone();
    });
  };
  return (
    <form class="card" onSubmit={save}>
      <Field label="Name">{(f) => <input {...f} required maxLength={60} value={name.value} dir="auto" onInput={(e) => void (name.value = e.currentTarget.value)} />}</Field>
      <Field label="Text" hint={<>Filled in for each conversation: {PLACEHOLDERS.map((one) => <code key={one}>{`{{${one}}}`} </code>)}</>}>
        {(f) => <textarea {...f} rows={4} required maxLength={4000} value={text.value} dir="auto" onInput={(e) => void (text.value = e.currentTarget.value)} />}</Field>
      <Fault text={error} />
      <button type="submit" class="solid" disabled={isBusy}>Save</button>
    </form>
  );
}

/** A button that lists the canned replies, filled in for a conversation, and inserts one. */
export function CannedMenu({ id, onPick }: { id: string; onPick(text: string): void }) {
  const isOpen = useSignal(false);
  return (
    <>
      <button type="button" class="quiet" data-shortcut="canned" onClick={() => void (isOpen.value = true)}><Act icon="canned">Replies</Act></button>
      {isOpen.value && <Menu id={id} onClose={(text) => { isOpen.value = false; if (text) onPick(text); }} />}
    </>
  );
}

type RenderedPage = NonNullable<NonNullable<RenderedRepliesResult["site"]>["cannedReplies"]>;
type Rendered = RenderedPage["nodes"][number];

/** All canned replies of the site, filled in for a conversation. They are searched in the browser. */
async function readAll(conversation: string): Promise<Rendered[]> {
  const all: Rendered[] = [];
  for (let after: string | null = null; ;) {
    const { site: found }: RenderedRepliesResult = await run(RenderedReplies, { site: site.value!.id, conversation, after });
    const page: RenderedPage | null | undefined = found?.cannedReplies;
    all.push(...page?.nodes ?? []);
    if (!page?.pageInfo.hasNextPage) return all;
    after = page.pageInfo.endCursor;
  }
}

function Menu({ id, onClose }: { id: string; onClose(text: string | null): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const picked = useRef<string | null>(null);
  const words = useSignal("");
  const all = useSignal<Rendered[] | null>(null);
  const error = useSignal("");
  useLayoutEffect(() => dialog.current?.showModal(), []);
  useEffect(() => void readAll(id).then((replies) => void (all.value = replies), (reason) => void (error.value = sayError(reason))), [id]);
  const pick = (text: string | null) => {
    picked.current = text;
    dialog.current?.close();
  };
  const wanted = words.value.trim().toLowerCase();
  const replies = all.value?.filter(({ name, renderedText }) => `${name} ${renderedText}`.toLowerCase().includes(wanted));
  return (
    <dialog class="palette" ref={dialog} aria-label="Canned replies" onClose={() => onClose(picked.current)} onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <input type="search" aria-label="Find a canned reply" placeholder="Find a canned reply…" autofocus value={words.value} onInput={(e) => void (words.value = e.currentTarget.value)} />
      <Fault text={error.value} />
      {!replies ? !error.value && <Skeleton />
        : !replies.length ? <p class="none">{wanted ? "No reply contains these words." : <>There are no canned replies yet. <a href={pathOf("canned")} onClick={() => pick(null)}>Write one</a></>}</p>
          : <ul>{replies.map((reply) => <li key={reply.id}><button type="button" class="quiet" onClick={() => pick(reply.renderedText)}><Icon name="canned" /><span><strong dir="auto">{reply.name}</strong><span class="hint" dir="auto">{reply.renderedText}</span></span></button></li>)}</ul>}
    </dialog>
  );
}
