// The parts of the analytics on the overview: a chart of answered and unanswered questions per day, and tables by reason, language,
// source and member. They are read once for each range, and again when questions were asked meanwhile.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type AnalyticsRange, Breakdown, type BreakdownResult } from "../../generated/dashboard";
import type { Chart } from "../chart";
import { may, site } from "../client";
import { labelOf } from "../labels";
import { pathOf } from "../route";
import { colorScheme } from "../settings";
import { loadPart } from "../toasts";
import { Loading, counted, useQuery } from "../ui";
import { durationOf, ratingOf } from "./satisfaction";

/** The parts are read again at most this often. They look at every question of the range. */
const REFRESH_MS = 30_000;

type Parts = NonNullable<NonNullable<BreakdownResult["site"]>["analytics"]>;
type Day = Parts["days"][number];
type Handoffs = Parts["handoffs"];

/** Follows `value` at most once every `ms`. */
function useSlowly(value: number, ms: number): number {
  const shown = useSignal(value);
  const changedAt = useRef(0);
  useEffect(() => {
    const timer = setTimeout(() => {
      changedAt.current = Date.now();
      shown.value = value;
    }, Math.max(0, changedAt.current + ms - Date.now()));
    return () => clearTimeout(timer);
  }, [value]);
  return shown.value;
}

export function Breakdowns({ range, questions }: { range: AnalyticsRange; questions: number }) {
  const version = useSlowly(questions, REFRESH_MS);
  const loaded = useQuery(Breakdown, { site: site.value!.id, range, hasSources: may("READ_SOURCES"), hasMembers: may("READ_CONVERSATIONS") }, String(version));
  return (
    <Loading of={loaded}>{({ site: found }) => found?.analytics && (
      <>
        <section class="card"><h2>Questions per day</h2><Days days={found.analytics.days} zone={found.analytics.timeZone} /></section>
        <div class="parts">
          <Team parts={found.analytics} />
          <Reasons reasons={found.analytics.feedbackReasons} />
          <Groups title="Languages" name="Language" rows={found.analytics.languages.map(({ language, questions: of }) => [languageOf(language), of])} />
          <Groups title="Sources of answers" name="Source" rows={found.analytics.sources.map(({ sourceId, source, questions: of }) => [source?.title ?? source?.url ?? (source === null ? "a deleted source" : sourceId), of])} />
        </div>
      </>
    )}</Loading>
  );
}

/** The name of a language in the language of the browser. */
function languageOf(tag: string | null): string {
  try {
    return (tag && new Intl.DisplayNames(undefined, { type: "language" }).of(tag)) || "unknown";
  } catch {
    return tag ?? "unknown";
  }
}

const DAY = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const nameOf = ({ date }: Day) => DAY.format(Date.parse(date));
const textOf = (day: Day) => `${nameOf(day)}: ${day.questions.answeredCount.toLocaleString()} answered, ${day.questions.unansweredCount.toLocaleString()} unanswered`;

/** Days by which a key moves the reader of the chart. */
const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -7, PageUp: 7, Home: -Infinity, End: Infinity };

/**
 * A chart whose days can be read with the pointer and with the arrow keys. A slider tells screen readers the numbers of a day, and
 * the table below it has all of them.
 */
function Days({ days, zone }: { days: Day[]; zone: string }) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart | null>(null);
  /** The day that is read, and its distance from the left edge in pixels. */
  const read = useSignal<{ at: number; left: number } | null>(null);
  const scheme = colorScheme.now.value;
  useEffect(() => {
    let isGone = false;
    const draw = () => void loadPart(import("../chart")).then((part) => {
      if (!part) return;
      chart.current?.destroy();
      chart.current = isGone || !place.current ? null : part.drawDays(place.current, days, (at, left) => void (read.value = at === null ? null : { at, left }));
    });
    draw();
    // The canvas keeps the colors with which it was drawn.
    const system = matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", draw);
    return () => {
      isGone = true;
      system.removeEventListener("change", draw);
      chart.current?.destroy();
      chart.current = null;
    };
  }, [days, scheme]);
  if (!days.some(({ questions }) => questions.answeredCount + questions.unansweredCount)) return <p>There are no questions in this range. Add the widget to a page, or ask a question in the <a href={pathOf("lab")}>answer lab</a>.</p>;
  const last = days.length - 1;
  const at = Math.min(read.value?.at ?? last, last);
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Escape") chart.current?.read(null);
    const step = STEPS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    chart.current?.read(Math.max(0, Math.min(last, (read.value ? at : last + (step < 0 ? 1 : 0)) + step)));
  };
  const day = days[at]!;
  return (
    <>
      <div class="chart">
        <div ref={place} aria-hidden="true" />
        <div class="reader" role="slider" tabIndex={0} aria-label="Day of the chart" aria-valuemin={0} aria-valuemax={last} aria-valuenow={at} aria-valuetext={textOf(day)}
          onKeyDown={onKey} onFocus={() => chart.current?.read(at)} onBlur={() => chart.current?.read(null)} />
        {read.value && (
          <div class={`tip ${read.value.left > (place.current?.clientWidth ?? 0) / 2 ? "before" : ""}`} aria-hidden="true" style={{ left: `${read.value.left}px` }}>
            <strong>{nameOf(day)}</strong><span class="key answered">{counted(day.questions.answeredCount, "answered question")}</span><span class="key unanswered">{counted(day.questions.unansweredCount, "unanswered question")}</span>
          </div>)}
      </div>
      <p class="row hint legend"><span class="key answered">Answered</span><span class="key unanswered">Unanswered</span><span>Days in the time zone {zone}</span></p>
      <details><summary>As a table</summary>
        <div class="scroll" tabIndex={0} role="region" aria-label="Questions per day"><table>
          <thead><tr><th scope="col">Day ({zone})</th><th scope="col">Answered</th><th scope="col">Unanswered</th></tr></thead>
          <tbody>{days.toReversed().map(({ date, questions }) => <tr key={date}><th scope="row">{date}</th><td>{questions.answeredCount}</td><td>{questions.unansweredCount}</td></tr>)}</tbody>
        </table></div>
      </details>
    </>
  );
}

const share = (part: number, whole: number) => (whole ? `${Math.round((100 * part) / whole)}\u00a0%` : "–");

type Questions = Parts["languages"][number]["questions"];

function Groups({ title, name, rows }: { title: string; name: string; rows: Array<[string, Questions]> }) {
  return (
    <section class="card"><h2>{title}</h2>
      {rows.length === 0 ? <p>There are none in this range.</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={title}><table>
          <thead><tr><th scope="col">{name}</th><th scope="col">Questions</th><th scope="col">Unanswered</th><th scope="col">Helpful votes</th></tr></thead>
          <tbody>{rows.map(([group, of], index) => (
            <tr key={index}><th scope="row" class="break" dir="auto">{group}</th><td>{of.totalCount.toLocaleString()}</td><td>{share(of.unansweredCount, of.totalCount)}</td><td>{share(of.helpfulCount, of.helpfulCount + of.unhelpfulCount)}</td></tr>))}</tbody>
        </table></div>)}
    </section>
  );
}

function Reasons({ reasons }: { reasons: Parts["feedbackReasons"] }) {
  const given = reasons.filter(({ count }) => count > 0);
  return (
    <section class="card"><h2>Why answers did not help</h2>
      {given.length === 0 ? <p>No visitor gave a reason in this range.</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Why answers did not help"><table>
          <thead><tr><th scope="col">Reason</th><th scope="col">Votes</th></tr></thead>
          <tbody>{given.map(({ reason, count }) => <tr key={reason}><th scope="row">{labelOf(reason)}</th><td>{count.toLocaleString()}</td></tr>)}</tbody>
        </table></div>)}
    </section>
  );
}

const median = ({ medianSeconds }: { medianSeconds: number | null }) => (medianSeconds === null ? "–" : durationOf(medianSeconds));
const slowest = ({ percentile90Seconds }: { percentile90Seconds: number | null }) => (percentile90Seconds === null ? "–" : durationOf(percentile90Seconds));
const rated = ({ averageRating, ratingCount }: Handoffs) => (averageRating === null ? "–" : `${ratingOf(Math.round(averageRating * 10) / 10)} (${counted(ratingCount, "rating")})`);

/** How fast the team was, and how visitors rate it. */
function Team({ parts }: { parts: Parts }) {
  const { handoffs, members } = parts;
  const rows: Array<[string, Handoffs]> = [["All", handoffs], ...members.map(({ member, memberId, handoffs: of }): [string, Handoffs] => [member?.name ?? (memberId ? "a removed member" : "nobody"), of])];
  return (
    <section class="card wide"><h2>Handoffs</h2>
      {handoffs.count === 0 ? <p>No visitor asked for a human in this range.</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Handoffs"><table>
          <thead><tr><th scope="col">Member</th><th scope="col">Handoffs</th><th scope="col">Resolved</th><th scope="col">First reply (median)</th><th scope="col">First reply (9 of 10)</th><th scope="col">Resolution (median)</th><th scope="col">Rating</th></tr></thead>
          <tbody>{rows.map(([name, of], index) => (
            <tr key={index}><th scope="row" dir="auto">{name}</th><td>{of.count.toLocaleString()}</td><td>{of.resolvedCount.toLocaleString()}</td><td>{median(of.firstReplyTimes)}</td><td>{slowest(of.firstReplyTimes)}</td><td>{median(of.resolutionTimes)}</td><td>{rated(of)}</td></tr>))}</tbody>
        </table></div>)}
    </section>
  );
}
