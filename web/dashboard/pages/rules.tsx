// Answer rules in the answer lab: entries that are pinned to a question, or forbidden for it.

import { useSignal } from "@preact/signals";
import { AddRule, AnswerRules, DeleteRule, Entries, type TryOutResult } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { Confirm, Fault, Field, Loading, Pager, type Trail, useAction, useQuery } from "../ui";

/** The list of answer rules. `asked` is the last question asked in the lab, for which a rule can be added. */
export function Rules({ asked }: { asked: TryOutResult["askQuestion"] | null }) {
  const trail = useSignal<Trail>([null]);
  const loaded = useQuery(AnswerRules, { site: site.value!.id, after: trail.value.at(-1) ?? null });
  const { error, act } = useAction();
  const remove = (id: string) => act(async () => {
    await change(DeleteRule, { input: { id, siteId: site.value!.id } });
    loaded.reload();
  });
  const applied = new Set(asked?.appliedRules?.map(({ ruleId }) => ruleId));
  return (
    <section class="card">
      <h2>Answer rules</h2>
      <p class="hint">A pinned entry always answers its question, and a forbidden entry never does. Questions in nearly the same words follow.</p>
      {may("WRITE_SOURCES") && asked?.conversation && <NewRule question={asked.conversation.question} onDone={loaded.reload} />}
      <Fault text={error} />
      <Loading of={loaded}>{({ site: found }) => {
        const rules = found?.answerRules;
        if (!rules?.nodes.length) return <p class="hint">No rules yet. Ask a question above, then choose the entry that answers it.</p>;
        return (
          <>
            <ul class="cards">{rules.nodes.map((rule) => (
              <li key={rule.id} class="row between">
                <span><strong>{rule.kind === "PIN" ? "Pinned" : "Forbidden"}</strong>{" "}
                  <span dir="auto">{rule.question}</span> → <span dir="auto">{rule.entryQuestion}</span>
                  {!rule.entry && <em> (the entry was changed or deleted)</em>}
                  {applied.has(rule.id) && <em> Applied to the question above.</em>}</span>
                {may("WRITE_SOURCES") && <Confirm label="Remove" about={rule.question} question="Remove this rule?" onYes={() => void remove(rule.id)} />}
              </li>))}</ul>
            <Pager trail={trail} info={rules.pageInfo} />
          </>
        );
      }}</Loading>
    </section>
  );
}

/** Adds a rule for `question`, with an entry that a search finds. */
function NewRule({ question, onDone }: { question: string; onDone(): void }) {
  const search = useSignal("");
  const entry = useSignal("");
  const kind = useSignal<"PIN" | "FORBID">("PIN");
  const loaded = useQuery(Entries, { site: site.value!.id, search: search.value.trim() || null, after: null });
  const { isBusy, error, act } = useAction();
  const save = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      await change(AddRule, { input: { question, entryId: entry.value, kind: kind.value, siteId: site.value!.id } });
      entry.value = "";
      onDone();
    });
  };
  return (
    <form class="filters" onSubmit={save}>
      <Field label="For this question">{(f) => (
        <select {...f} value={kind.value} onChange={(e) => void (kind.value = e.currentTarget.value === "PIN" ? "PIN" : "FORBID")}>
          <option value="PIN">always answer with</option><option value="FORBID">never answer with</option>
        </select>)}</Field>
      <Field label="Search for the entry">{(f) => <input {...f} type="search" maxLength={200} value={search.value} onChange={(e) => void (search.value = e.currentTarget.value)} />}</Field>
      <Field label="Entry">{(f) => (
        <select {...f} required value={entry.value} onChange={(e) => void (entry.value = e.currentTarget.value)}>
          <option value="">Choose an entry</option>
          {loaded.data?.site?.faqEntries?.nodes.map(({ id, question: own }) => <option key={id} value={id}>{own}</option>)}
        </select>)}</Field>
      <button type="submit" disabled={isBusy || !entry.value}>Add rule</button>
      <Fault text={error} />
    </form>
  );
}
