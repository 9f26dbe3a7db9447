// How the team sorts a conversation: its priority and its tags. Visitors never see them.

import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { type ConversationPriority, type Row, SiteTags, Triage as TriageMutation } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { Icon } from "../icons";
import { labelOf } from "../labels";
import { Fault, useAction, useQuery } from "../ui";

const PRIORITIES: ConversationPriority[] = ["LOW", "NORMAL", "HIGH", "URGENT"];
/** Priorities that a list shows. Most conversations have none of them. */
const SHOWN: Partial<Record<ConversationPriority, string>> = { HIGH: "warn", URGENT: "bad" };

/** The priority and the tags as labels, for lists. */
export function TriageLabels({ row: { priority, tags } }: { row: Row }) {
  const tone = priority && SHOWN[priority];
  return <>{tone && <span class={`badge ${tone}`}><Icon name="flag" />{labelOf(priority)}</span>}{tags?.map((tag) => <span key={tag} class="badge tag" dir="auto">{tag}</span>)}</>;
}

/** The fields that change the priority and the tags. The event about the change updates the page. */
export function Triage({ row }: { row: Row }) {
  // A tag can be added while a priority is being saved.
  const [ranking, tagging] = [useAction(), useAction()];
  const typed = useSignal("");
  const id = useId();
  const { data } = useQuery(SiteTags, { site: site.value!.id }, row.updatedAt);
  const canWrite = may("WRITE_CONVERSATIONS");
  const save = ({ act }: ReturnType<typeof useAction>, what: { priority?: ConversationPriority; addTags?: string[]; removeTags?: string[] }) =>
    act(() => change(TriageMutation, { input: { conversationId: row.id, siteId: site.value!.id, ...what } }));
  const add = (event: Event) => {
    event.preventDefault();
    const addTags = typed.value.split(",").map((tag) => tag.trim()).filter(Boolean);
    if (addTags.length > 0) void save(tagging, { addTags }).then((isSaved) => isSaved && (typed.value = ""));
  };
  return (
    <>
      <div><dt>Priority</dt><dd>{canWrite
        ? <select aria-label="Priority" disabled={ranking.isBusy} value={row.priority ?? "NORMAL"} onChange={(e) => void save(ranking, { priority: e.currentTarget.value as ConversationPriority })}>
          {PRIORITIES.map((value) => <option key={value} value={value}>{labelOf(value)}</option>)}</select>
        : labelOf(row.priority ?? "NORMAL")}</dd></div>
      <div><dt>Tags</dt><dd class="tags">
        {row.tags?.map((tag) => (
          <span key={tag} class="badge tag" dir="auto">{tag}{canWrite && <button type="button" class="quiet" disabled={tagging.isBusy} aria-label={`Remove the tag ${tag}`} onClick={() => void save(tagging, { removeTags: [tag] })}><Icon name="x" /></button>}</span>))}
        {canWrite && (
          <form onSubmit={add}><input aria-label="Add a tag" placeholder="Add a tag" list={id} maxLength={40} value={typed.value} onInput={(e) => void (typed.value = e.currentTarget.value)} />
            <datalist id={id}>{data?.site?.conversationTags?.filter(({ name }) => !row.tags?.includes(name)).map(({ name }) => <option key={name} value={name} />)}</datalist></form>)}
        <Fault text={ranking.error || tagging.error} /></dd></div>
    </>
  );
}
