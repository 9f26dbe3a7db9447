// The effect of a change, before it is published: which questions of visitors gain, lose or change their answer.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { CancelPreview, type Effect, PreviewChange, type PreviewChangeVariables, PreviewOf, type PreviewOfResult, PublishChange } from "../../generated/dashboard";
import { change, may, run, site } from "../client";
import { Fault, sayError, useAction } from "../ui";

/** How often the progress is read, in milliseconds. */
const PROGRESS_MS = 400;
const EFFECTS = { GAINED: "Gets an answer", LOST: "Loses its answer", CHANGED: "Gets another answer" } as const;

type Change = Omit<PreviewChangeVariables["input"], "siteId">;
type Preview = NonNullable<NonNullable<PreviewOfResult["site"]>["changePreview"]>;

/**
 * A button that previews the change that `describe` returns, and its result with a button that publishes exactly this
 * change. `key` the component by the change, so that a result is never shown beside other words.
 */
export function EffectOfChange({ describe, onPublished }: { describe(): Change | null; onPublished(): void }) {
  const preview = useSignal<Preview | null>(null);
  const trail = useSignal<Array<string | null>>([null]);
  const fault = useSignal("");
  const { isBusy, error, act } = useAction();
  const siteId = site.value!.id;
  const load = async (id: string) => {
    const { site: found } = await run(PreviewOf, { site: siteId, id, after: trail.value.at(-1) ?? null });
    preview.value = found?.changePreview ?? null;
    fault.value = preview.value ? "" : "The preview was deleted. Preview the change again.";
  };
  const begin = () => act(async () => {
    const described = describe();
    if (!described) return;
    trail.value = [null];
    const { preview: begun } = await change(PreviewChange, { input: { ...described, siteId } });
    await load(begun!.id);
  });
  const id = preview.value?.id;
  const isRunning = preview.value?.status === "RUNNING";
  useEffect(() => {
    if (!id || !isRunning) return;
    const timer = setInterval(() => load(id).catch((reason) => void (fault.value = sayError(reason))), PROGRESS_MS);
    return () => clearInterval(timer);
  }, [id, isRunning]);
  if (!may("READ_CONVERSATIONS")) return null;
  const turn = (next: Array<string | null>) => act(async () => { trail.value = next; await load(id!); });
  const cancel = () => act(async () => { await change(CancelPreview, { input: { id: id!, siteId } }); await load(id!); });
  const publish = () => act(async () => { await change(PublishChange, { input: { previewId: id!, siteId } }); onPublished(); });
  return (
    <div class="effect">
      <div class="row">
        <button type="button" disabled={isBusy || isRunning} onClick={() => void begin()}>Preview the effect</button>
        {isRunning && <button type="button" disabled={isBusy} onClick={() => void cancel()}>Cancel</button>}
        {preview.value?.status === "READY" && <button type="button" class="solid" disabled={isBusy} onClick={() => void publish()}>Publish this change</button>}
      </div>
      <Fault text={error || fault.value} />
      <div role="status">{preview.value && <Summary preview={preview.value} />}</div>
      {preview.value?.status === "READY" && (
        <>
          <ul class="cards">{preview.value.questions?.nodes.map((found) => <Line key={found.question} found={found} />)}</ul>
          {(trail.value.length > 1 || preview.value.questions?.pageInfo.hasNextPage) && (
            <nav class="pager row" aria-label="Pages of the effect">
              <button type="button" disabled={isBusy || trail.value.length < 2} onClick={() => void turn(trail.value.slice(0, -1))}>Previous</button>
              <button type="button" disabled={isBusy || !preview.value.questions?.pageInfo.hasNextPage} onClick={() => void turn([...trail.value, preview.value!.questions!.pageInfo.endCursor])}>Next</button>
            </nav>)}
        </>)}
    </div>
  );
}

function Summary({ preview: { status, doneQuestions, totalQuestions, gainedCount, lostCount, changedCount } }: { preview: Preview }) {
  if (status === "RUNNING") return <p class="hint">Asking the questions of visitors: {doneQuestions} of {totalQuestions ?? "…"}.</p>;
  if (status === "CANCELED") return <p class="hint">The preview was canceled.</p>;
  if (status === "FAILED") return <p class="hint">The preview failed. Try again.</p>;
  if (!totalQuestions) return <p class="hint">Visitors have not asked any questions yet.</p>;
  return <p class="hint">Of the last {totalQuestions} different questions, {gainedCount} would get an answer, {lostCount} would lose it and {changedCount} would get another one.</p>;
}

function Line({ found: { effect, question, count, before, after } }: { found: Effect }) {
  return (
    <li>
      <div class="row between"><strong dir="auto">{question}</strong><span>{EFFECTS[effect]}</span></div>
      <p class="hint">Asked {count === 1 ? "once" : `${count} times`}. Now: <span dir="auto">{before.title ?? "no entry"}</span>. Then: <span dir="auto">{after.title ?? "no entry"}</span>.</p>
    </li>
  );
}
