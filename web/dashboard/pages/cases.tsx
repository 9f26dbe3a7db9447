// The test questions of the answer lab: the expected result of each, running all of them, and how many of them
// may fail before the new content of a sync is held back.

import { useSignal } from "@preact/signals";
import { AddCase, AllowLosses, type Case, Cases as CasesQuery, DeleteCase, RunCases, type RunCasesResult, type TryOutResult } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { Icon } from "../icons";
import { isRemoved, remove } from "../toasts";
import { Badge, Fault, Field, Loading, Pager, type Trail, useAction, useQuery } from "../ui";

type Result = NonNullable<RunCasesResult["runEvaluation"]["results"]>[number];
type Answered = TryOutResult["askQuestion"]["conversation"];

/** The list of test questions. `answered` is the last question asked in the lab, which can be saved as a test question. */
export function Cases({ answered }: { answered: Answered }) {
  const trail = useSignal<Trail>([null]);
  const loaded = useQuery(CasesQuery, { site: site.value!.id, after: trail.value.at(-1) ?? null });
  const results = useSignal<Map<string, Result> | null>(null);
  const note = useSignal("");
  const { isBusy, error, act } = useAction();
  const canWrite = may("WRITE_SOURCES");
  const keep = () => act(async () => {
    const url = answered!.isUnanswered ? null : answered!.citations[0]?.url ?? null;
    await change(AddCase, { input: { question: answered!.question, url, siteId: site.value!.id } });
    note.value = "Saved as a test question.";
    loaded.reload();
  });
  const runAll = () => act(async () => {
    const { passedCount, results: found } = await change(RunCases, { input: { siteId: site.value!.id } });
    results.value = new Map(found?.map((result) => [result.case?.id ?? "", result]));
    note.value = `${passedCount} of ${found?.length} passed.`;
  });
  return (
    <section class="card cases">
      <div class="row between"><h2>Test questions</h2>
        <div class="row">
          {canWrite && answered && <button type="button" disabled={isBusy} onClick={() => void keep()}>Save the question above</button>}
          <button type="button" class="solid" disabled={isBusy || !loaded.data?.site?.evaluation.cases?.totalCount} onClick={() => void runAll()}>Run all</button>
        </div></div>
      <Fault text={error} />
      <p class="hint" role="status">{note.value}</p>
      <Loading of={loaded}>{({ site: found }) => {
        const cases = found?.evaluation.cases;
        if (!cases) return <p>Your key does not have permission to read the test questions.</p>;
        if (!cases.nodes.length) return <p>There are no test questions yet. Ask a question above and save it when the answer is right. A later run shows whether it is still answered correctly.</p>;
        return (
          <>
            <ul class="plain">{cases.nodes.filter(({ id }) => !isRemoved(id)).map((one) => <Item key={one.id} one={one} result={results.value?.get(one.id)} canWrite={canWrite} onChange={loaded.reload} />)}</ul>
            <Pager trail={trail} info={cases.pageInfo} />
            <Losses allowed={found.evaluation.allowedLosses} canWrite={canWrite} onChange={loaded.reload} />
          </>
        );
      }}</Loading>
    </section>
  );
}

const expected = ({ expectedUrl, expectedQuestion, expectedSource }: Case) =>
  expectedQuestion ?? expectedUrl ?? expectedSource?.title ?? expectedSource?.url;

function Item({ one, result, canWrite, onChange }: { one: Case; result: Result | undefined; canWrite: boolean; onChange(): void }) {
  const wanted = expected(one);
  return (
    <li class="delivery row between">
      <div class="grow">
        <span dir="auto">{one.question}</span>
        <p class="hint break">{wanted ? `Expected result: ${wanted}` : "Expected result: no answer"}{result && !result.isPassed && `. Actual result: ${result.foundTitle ?? result.foundUrl ?? "no answer"}`}</p>
      </div>
      <span class="row">
        {result && <Badge value={result.isPassed ? "ANSWERED" : "FAILED"}>{result.isPassed ? "passed" : "failed"}</Badge>}
        {canWrite && <button type="button" class="quiet danger square" aria-label={`Delete ${one.question}`} title="Delete"
          onClick={() => remove(one.id, "The test question was deleted.", async () => { await change(DeleteCase, { input: { id: one.id, siteId: site.value!.id } }); onChange(); })}><Icon name="trash" /></button>}
      </span>
    </li>
  );
}

function Losses({ allowed, canWrite, onChange }: { allowed: number | null; canWrite: boolean; onChange(): void }) {
  const { error, act } = useAction();
  const choices = [...new Set([0, 1, 2, 5, 10, ...allowed === null ? [] : [allowed]])].sort((a, b) => a - b);
  const save = (value: string) => act(async () => {
    await change(AllowLosses, { input: { allowedLosses: value === "" ? null : Number(value), siteId: site.value!.id } });
    onChange();
  });
  return (
    <>
      <Field label="When test questions fail after a sync" hint="A sync that is held back changes nothing. Answers still come from the previous content.">
        {(f) => <select {...f} disabled={!canWrite} value={allowed ?? ""} onChange={(e) => void save(e.currentTarget.value)}>
          <option value="">Use the new content anyway</option>
          {choices.map((count) => <option key={count} value={count}>{count === 0 ? "Hold the sync back if any test question fails" : `Hold the sync back if more than ${count} fail`}</option>)}</select>}
      </Field>
      <Fault text={error} />
    </>
  );
}
