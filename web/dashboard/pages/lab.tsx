// The answer lab: ask a question as a visitor would, see the evidence and the confidence of the answer, and set
// the promise on wrong answers.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { AnswerSettings, type AnswerSettingsResult, TryOut, type TryOutResult, UpdateAnswerSettings } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { route } from "../route";
import { Cases } from "./cases";
import { Rules } from "./rules";
import { Act, Badge, Fault, Field, Loading, Markdown, Page, useAction, useQuery } from "../ui";

/** The session of all questions asked here, which separates them from the questions of visitors. */
const LAB_SESSION = "answer-lab";
const percent = (share: number) => `${Math.round(share * 100)}\u00a0%`;

export function LabPage() {
  const question = useSignal(route.value.query.get("q") ?? "");
  const result = useSignal<TryOutResult["askQuestion"] | null>(null);
  const { isBusy, error, act } = useAction();
  const ask = (text: string) => act(async () => {
    question.value = text;
    result.value = await change(TryOut, { input: { question: text, sessionId: LAB_SESSION, siteId: site.value!.id } });
  });
  const submit = (event: Event) => {
    event.preventDefault();
    if (question.value.trim()) void ask(question.value.trim());
  };
  return (
    <Page title="Answer lab" about="Ask as a visitor would, and see where the answer comes from.">
      <div class="halves wide">
        <section>
          <form onSubmit={submit}>
            <Field label="Question" hint={`Uses one credit. The conversation is stored in the session “${LAB_SESSION}”.`}>
              {(f) => <textarea {...f} rows={2} required maxLength={1000} value={question.value} dir="auto" onInput={(e) => void (question.value = e.currentTarget.value)} />}
            </Field>
            <button type="submit" class="solid" disabled={isBusy}><Act icon="send">Ask</Act></button>
          </form>
          <Fault text={error} />
          <div aria-live="polite">{result.value && <Answer result={result.value} onAsk={(text) => void ask(text)} />}</div>
        </section>
        <WrongAnswers />
      </div>
      <Rules asked={result.value} />
      <Cases answered={result.value?.conversation ?? null} />
    </Page>
  );
}

function Answer({ result: { conversation, suggestions }, onAsk }: { result: TryOutResult["askQuestion"]; onAsk(text: string): void }) {
  if (!conversation) return null;
  return (
    <article class="card">
      <div class="row"><Badge value={conversation.outcome} /><span>Confidence {percent(conversation.confidence)}</span>
        <meter aria-label="Confidence" min={0} max={1} value={conversation.confidence} /></div>
      <Markdown text={conversation.answer} />
      {suggestions && suggestions.length > 0 && <div class="row" role="group" aria-label="Suggested questions">{suggestions.map((text) => <button key={text} type="button" onClick={() => onAsk(text)}>{text}</button>)}</div>}
      <h2>Evidence</h2>
      {conversation.citations.length === 0 && <p>No entry matched well enough. Write an answer, add a source, or allow more wrong answers.</p>}
      <ol class="citations">{conversation.citations.map((citation, i) => (
        <li key={i}>
          <div class="row between"><strong dir="auto">{citation.title}</strong><span>{percent(citation.score)}</span></div>
          <meter aria-label={`Match of ${citation.title}`} min={0} max={1} value={citation.score} />
          <blockquote dir="auto">{citation.quote}</blockquote>
          {citation.url && <a class="break" href={citation.textFragment ?? citation.url} target="_blank" rel="noopener noreferrer">{citation.url}</a>}
        </li>))}</ol>
    </article>
  );
}

function WrongAnswers() {
  const loaded = useQuery(AnswerSettings, { site: site.value!.id });
  return (
    <section class="card">
      <h2>Promise on wrong answers</h2>
      <Loading of={loaded}>{({ site: found }) => found?.answerSettings
        ? <>
          <Slider stored={found.answerSettings.maxWrongAnswers} />
          {found.answerPromise && <Measured promise={found.answerPromise} promised={found.answerSettings.maxWrongAnswers} />}
        </>
        : <p>Your key does not have permission to read the settings.</p>}
      </Loading>
    </section>
  );
}

type AnswerPromise = NonNullable<NonNullable<AnswerSettingsResult["site"]>["answerPromise"]>;

/** What was measured of the promise, or where the confidence comes from as long as nothing was. */
function Measured({ promise, promised }: { promise: AnswerPromise; promised: number }) {
  const { judgedAnswers: judged, wrongAnswers: wrong, testAnswers, wrongShare, isKept } = promise;
  return (
    <>
      <dl class="facts">
        <dt>Promised</dt><dd>at most {percent(promised)} wrong</dd>
        <dt>Measured</dt>
        <dd>{wrongShare == null ? "nothing yet" : `${percent(wrongShare)} wrong (${wrong} of ${judged} judged answers)`}</dd>
        <dt>Answered from</dt><dd>{percent(promise.threshold)} confidence</dd>
      </dl>
      {isKept == null
        ? <p class="hint">Fewer than 30 answers were judged. Until then, the required confidence comes mostly from measurements on other sites, and the share on this site is not known. Votes of visitors, conversations that a member takes over, and runs of your test questions are counted.</p>
        : <p>{isKept ? "The promise is kept." : "More answers were wrong than promised. HelpBot answers more carefully until the share is right again."}</p>}
      {testAnswers > 0 && <p class="hint">{testAnswers} of them are answers to your test questions.</p>}
    </>
  );
}

function Slider({ stored }: { stored: number }) {
  const target = useSignal(stored);
  const note = useSignal("");
  const { isBusy, error, act } = useAction();
  useEffect(() => void (target.value = stored), [stored]);
  const save = () => act(async () => {
    await change(UpdateAnswerSettings, { input: { maxWrongAnswers: target.value, siteId: site.value!.id } });
    note.value = "Saved. The promise applies to the next question.";
  });
  return (
    <>
      <Field label={`At most this share of the answers may be wrong: ${percent(target.value)}`} hint="A lower value gives fewer wrong answers but says “I don’t know” more often. A higher value gives more answers, of which more are wrong.">
        {(f) => <input {...f} type="range" min={0.01} max={0.5} step={0.01} value={target.value} disabled={!may("WRITE_CONFIG")} onInput={(e) => void (target.value = Number(e.currentTarget.value))} />}
      </Field>
      <Fault text={error} />
      {may("WRITE_CONFIG") && <button type="button" disabled={isBusy} onClick={() => void save()}>Save</button>}
      <p class="hint" role="status">{note.value}</p>
    </>
  );
}
