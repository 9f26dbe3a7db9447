// Unanswered questions, grouped by topic. An answer written here becomes an FAQ entry and is tested at once
// against the questions of its topic.

import { useSignal } from "@preact/signals";
import { type AnalyticsRange, DismissTopic, Promote, type PromoteResult, RestoreTopic, Topics, type TopicsResult } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { pathOf } from "../route";
import { Badge, Empty, Fault, Field, Loading, Page, useAction, useQuery } from "../ui";

const RANGES: Array<[AnalyticsRange, string]> = [["LAST_30_DAYS", "30 days"], ["LAST_90_DAYS", "90 days"], ["LAST_365_DAYS", "A year"], ["ALL", "All"]];

type Topic = NonNullable<NonNullable<NonNullable<TopicsResult["site"]>["analytics"]>["topics"]>["nodes"][number];

export function TopicsPage() {
  const range = useSignal<AnalyticsRange>("LAST_30_DAYS");
  const withDismissed = useSignal(false);
  const trail = useSignal<Array<string | null>>([null]);
  const loaded = useQuery(Topics, { site: site.value!.id, range: range.value, after: trail.value.at(-1) ?? null, includeDismissed: withDismissed.value });
  const tools = (
    <>
      <label class="inline"><input type="checkbox" checked={withDismissed.value} onChange={(e) => { withDismissed.value = e.currentTarget.checked; trail.value = [null]; }} /> Show dismissed</label>
      <label class="inline">Range <select value={range.value} onChange={(e) => { range.value = e.currentTarget.value as AnalyticsRange; trail.value = [null]; }}>
        {RANGES.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select></label>
    </>
  );
  return (
    <Page title="Unanswered" tools={tools}>
      <Loading of={loaded}>{({ site: found }) => {
        const topics = found?.analytics?.topics;
        if (!topics) return <Fault text="Your key does not have permission to read analytics, or your plan does not include them." />;
        if (!topics.nodes.length) return <Empty title="No unanswered questions"><p>Every question in this range was answered. Try other questions in the <a href={pathOf("lab")}>answer lab</a>.</p></Empty>;
        return (
          <>
            <ul class="cards">{topics.nodes.map((topic) => <Item key={topic.label} topic={topic} onChange={loaded.reload} />)}</ul>
            {(trail.value.length > 1 || topics.pageInfo.hasNextPage) && (
              <nav class="pager row" aria-label="Pages of the list">
                <button type="button" disabled={trail.value.length < 2} onClick={() => void (trail.value = trail.value.slice(0, -1))}>Previous</button>
                <button type="button" disabled={!topics.pageInfo.hasNextPage} onClick={() => void (trail.value = [...trail.value, topics.pageInfo.endCursor])}>Next</button>
              </nav>)}
          </>
        );
      }}</Loading>
    </Page>
  );
}

function Item({ topic, onChange }: { topic: Topic; onChange(): void }) {
  const answer = useSignal("");
  const tried = useSignal<PromoteResult["promoteToFaq"] | null>(null);
  const { isBusy, error, act } = useAction();
  const conversation = topic.questions.find((question) => question.conversation)?.conversation;
  const save = (event: Event) => {
    event.preventDefault();
    void act(async () => {
      tried.value = await change(Promote, { input: { conversationId: conversation!.id, answer: answer.value.trim(), siteId: site.value!.id } });
    });
  };
  const dismiss = () => act(async () => {
    const input = { conversationId: conversation!.id, siteId: site.value!.id };
    await (topic.isDismissed ? change(RestoreTopic, { input }) : change(DismissTopic, { input }));
    onChange();
  });
  const results = new Map(tried.value?.answeredNow?.map(({ text, isAnsweredNow }) => [text, isAnsweredNow]));
  // A single wording that equals the heading is not repeated until it is answered.
  const [first, second] = topic.questions;
  const isAlone = !second && first?.text === topic.label && !first.isAnsweredNow && !tried.value;
  return (
    <li class="card">
      <div class="row between"><h2 dir="auto">{topic.label}</h2><span class="hint">asked {topic.count === 1 ? "once" : `${topic.count} times`}, {topic.unansweredCount} unanswered</span>
        {conversation && may("WRITE_CONVERSATIONS") && <button type="button" disabled={isBusy} aria-label={`${topic.isDismissed ? "Restore" : "Dismiss"} ${topic.label}`} onClick={() => void dismiss()}>{topic.isDismissed ? "Restore" : "Dismiss"}</button>}</div>
      {!isAlone && <ul class="wordings">{topic.questions.map((question) => {
        const isAnswered = results.get(question.text) ?? question.isAnsweredNow;
        return <li key={question.text}><span dir="auto">{question.text}</span> <span class="hint">{question.count}×</span> {isAnswered && <Badge value="ANSWERED">answered now</Badge>}</li>;
      })}</ul>}
      {tried.value
        ? <p class="good" role="status">Saved as an FAQ entry under <a href={pathOf("answers")}>Answers</a>.</p>
        : conversation && may("WRITE_SOURCES") && (
          <form onSubmit={save}>
            <Field label="Answer">{(f) => <textarea {...f} rows={2} required value={answer.value} dir="auto" onInput={(e) => void (answer.value = e.currentTarget.value)} />}</Field>
            <Fault text={error} />
            <button type="submit" class="solid" disabled={isBusy} aria-label={`Save and test: ${topic.label}`}>Save and test</button>
          </form>)}
    </li>
  );
}
