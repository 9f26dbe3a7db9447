// Unanswered questions, grouped by topic. An answer written here becomes an FAQ entry and is tested at once
// against the questions of its topic.

import { useSignal } from "@preact/signals";
import { type AnalyticsRange, DismissTopic, Promote, type PromoteResult, RestoreTopic, Topics, type TopicsResult } from "../../generated/dashboard";
import { change, may, site } from "../client";
import { param, pathOf, setParams } from "../route";
import { Act, Badge, Empty, Fault, Field, Loading, Page, Pager, type Trail, useAction, useQuery } from "../ui";

const RANGES: Array<[AnalyticsRange, string]> = [["LAST_30_DAYS", "30 days"], ["LAST_90_DAYS", "90 days"], ["LAST_365_DAYS", "A year"], ["ALL", "All"]];

type Topic = NonNullable<NonNullable<NonNullable<TopicsResult["site"]>["analytics"]>["topics"]>["nodes"][number];

/** The range in the URL, or 30 days. */
export function rangeOf(ranges: Array<[AnalyticsRange, string]>): AnalyticsRange {
  return ranges.find(([value]) => value === param("range"))?.[0] ?? "LAST_30_DAYS";
}

export function TopicsPage() {
  const range = rangeOf(RANGES);
  const withDismissed = useSignal(false);
  const trail = useSignal<Trail>([null]);
  const loaded = useQuery(Topics, { site: site.value!.id, range, after: trail.value.at(-1) ?? null, includeDismissed: withDismissed.value });
  const tools = (
    <>
      <label class="inline"><input type="checkbox" checked={withDismissed.value} onChange={(e) => { withDismissed.value = e.currentTarget.checked; trail.value = [null]; }} /> Show dismissed</label>
      <label class="inline">Range <select value={range} onChange={(e) => { setParams({ range: e.currentTarget.value }); trail.value = [null]; }}>
        {RANGES.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select></label>
    </>
  );
  return (
    <Page title="Unanswered" about="Questions that HelpBot could not answer, by topic. An answer that you write is tested at once." tools={tools}>
      <Loading of={loaded}>{({ site: found }) => {
        const topics = found?.analytics?.topics;
        if (!topics) return <Fault text="Your key does not have permission to read analytics, or your plan does not include them." />;
        if (!topics.nodes.length) return <Empty title="No unanswered questions"><p>Every question in this range was answered. Try other questions in the <a href={pathOf("lab")}>answer lab</a>.</p></Empty>;
        return (
          <>
            <ul class="cards">{topics.nodes.map((topic) => <Item key={topic.label} topic={topic} onChange={loaded.reload} />)}</ul>
            <Pager trail={trail} info={topics.pageInfo} />
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
    <li class="card topic">
      <div class="row between"><h2 dir="auto">{topic.label}</h2><span class="hint">asked {topic.count === 1 ? "once" : `${topic.count} times`}, {topic.unansweredCount} unanswered</span>
        {conversation && may("WRITE_CONVERSATIONS") && <button type="button" class="quiet" disabled={isBusy} aria-label={`${topic.isDismissed ? "Restore" : "Dismiss"} ${topic.label}`} onClick={() => void dismiss()}>{topic.isDismissed ? "Restore" : "Dismiss"}</button>}</div>
      {!isAlone && <ul class="wordings">{topic.questions.map((question) => {
        const isAnswered = results.get(question.text) ?? question.isAnsweredNow;
        return <li key={question.text}><span dir="auto">{question.text}</span> <span class="hint">{question.count}×</span> {isAnswered && <Badge value="ANSWERED">answered now</Badge>}</li>;
      })}</ul>}
      {tried.value
        ? <p class="good" role="status">Saved as an FAQ entry under <a href={pathOf("answers")}>Answers</a>.</p>
        : conversation && may("WRITE_SOURCES") && (
          <form onSubmit={save}>
            <Field label="Answer">{(f) => <textarea {...f} rows={1} required value={answer.value} dir="auto" onInput={(e) => void (answer.value = e.currentTarget.value)} />}</Field>
            <Fault text={error} />
            <button type="submit" disabled={isBusy} aria-label={`Save and test: ${topic.label}`}><Act icon="check">Save and test</Act></button>
          </form>)}
    </li>
  );
}
