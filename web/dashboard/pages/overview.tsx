// Key metrics of the site, which the server keeps current: rates, credits, and the latest unanswered questions. The breakdowns
// beside them are read for each range.

import { type AnalyticsRange, Overview, type OverviewResult } from "../../generated/dashboard";
import { site } from "../client";
import { pathOf, setParams } from "../route";
import { Breakdowns } from "./breakdowns";
import { Checklist } from "./checklist";
import { rangeOf } from "./topics";
import { Loading, Page, When, counted, useLive } from "../ui";

const RANGES: Array<[AnalyticsRange, string]> = [["LAST_7_DAYS", "7 days"], ["LAST_30_DAYS", "30 days"], ["LAST_90_DAYS", "90 days"], ["LAST_365_DAYS", "A year"], ["ALL", "All"]];
type SiteData = NonNullable<OverviewResult["site"]>;

export function OverviewPage() {
  const range = rangeOf(RANGES);
  const loaded = useLive(Overview, { site: site.value!.id, range });
  const tools = (
    <label class="inline">Range <select value={range} onChange={(e) => setParams({ range: e.currentTarget.value })}>
      {RANGES.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
    </select></label>
  );
  return <Page title="Overview" tools={tools}><Loading of={loaded}>{({ site: found }) => found && <Body found={found} range={range} />}</Loading></Page>;
}

function Body({ found, range }: { found: SiteData; range: AnalyticsRange }) {
  const { analytics, credits } = found;
  return (
    <>
      <Checklist />
      {analytics ? <Figures overview={analytics.overview} /> : <p class="hint">Analytics are not included in this plan.</p>}
      <div class="halves">
        {analytics && <div class="parts"><Breakdowns range={range} questions={analytics.overview.totalQuestions} /></div>}
        <section class="card">
          <h2>Credits this month</h2>
          {credits.limit === null || credits.remaining === null
            ? <p><strong class="big">{credits.used}</strong> used, no limit</p>
            : <><p><strong class="big">{credits.remaining.toLocaleString()}</strong> of {credits.limit.toLocaleString()} left</p><meter aria-label="Credits used" min={0} max={credits.limit} value={credits.used} /></>}
          <p class="hint">Resets <When at={credits.resetAt} />.</p>
          <h2>Unanswered questions</h2>
          {found.conversations?.nodes.length
            ? <ul class="plain">{found.conversations.nodes.map((c) => (
              <li key={c.id}><a href={pathOf("conversations", { state: "UNANSWERED", open: c.id })} dir="auto">{c.question}</a> <span class="hint"><When at={c.createdAt} /></span></li>))}</ul>
            : <p>Every question was answered.</p>}
        </section>
      </div>
    </>
  );
}

const rate = (percentage: number | null) => (percentage === null ? "–" : `${percentage}\u00a0%`);

function Figures({ overview: o }: { overview: NonNullable<SiteData["analytics"]>["overview"] }) {
  const trend = o.weekOverWeekChange;
  const unansweredRate = o.totalQuestions ? Math.round((100 * o.unansweredCount) / o.totalQuestions) : 0;
  const cells = [
    ["Questions", o.totalQuestions.toLocaleString(), trend === null ? "no questions in the previous week" : `${trend > 0 ? "+" : ""}${trend}\u00a0% compared with the previous week`],
    ["Unanswered", `${unansweredRate}\u00a0%`, counted(o.unansweredCount, "question")],
    ["Satisfaction", rate(o.satisfactionRate), `${o.helpfulCount} of ${o.totalFeedback} votes`],
    ["Handed over to a human", rate(o.handoffRate), counted(o.handoffCount, "conversation")],
  ] as const;
  return <dl class="figures">{cells.map(([name, value, note]) => <div key={name} class="card"><dt>{name}</dt><dd><strong class="big">{value}</strong><span class="hint">{note}</span></dd></div>)}</dl>;
}
