// What is known of a visitor's satisfaction with a conversation: the reason and the comment of the vote, the rating of the
// handoff, and how long the team took.

import type { Row } from "../../generated/dashboard";
import { labelOf } from "../labels";
import { Badge, When } from "../ui";

const UNITS: Array<[string, number]> = [["day", 86_400], ["hour", 3600], ["minute", 60]];

/** A duration in its largest whole unit, for example "3 hours". */
export function durationOf(seconds: number): string {
  const [unit, size] = UNITS.find(([, length]) => seconds >= length) ?? ["second", 1];
  return new Intl.NumberFormat(undefined, { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: seconds >= 3600 ? 1 : 0 }).format(seconds / size);
}

/** The time between two moments. */
const between = (from: string, to: string) => durationOf(Math.max(0, Date.parse(to) - Date.parse(from)) / 1000);

/** A rating in words for everybody, because stars alone say nothing to a screen reader. */
export const ratingOf = (rating: number): string => `${rating} of 5`;

/** Rows of a list of facts. */
export function SatisfactionFacts({ row }: { row: Row }) {
  const { feedback, feedbackReason, feedbackComment, handoff } = row;
  return (
    <>
      {feedback && <div><dt>Vote</dt><dd><Badge value={feedback} />{feedbackReason && ` ${labelOf(feedbackReason)}`}</dd></div>}
      {feedbackComment && <div><dt>Comment</dt><dd class="break" dir="auto">{feedbackComment}</dd></div>}
      {handoff?.assignedAt && <div><dt>Taken after</dt><dd>{between(handoff.requestedAt, handoff.assignedAt)}</dd></div>}
      {handoff?.firstReplyAt && <div><dt>First reply after</dt><dd>{between(handoff.requestedAt, handoff.firstReplyAt)}</dd></div>}
      {handoff?.resolvedAt && <div><dt>Resolved</dt><dd><When at={handoff.resolvedAt} />{`, after ${between(handoff.requestedAt, handoff.resolvedAt)}`}</dd></div>}
      {handoff?.rating != null && <div><dt>Rating</dt><dd>{ratingOf(handoff.rating)}</dd></div>}
      {handoff?.ratingComment && <div><dt>About the rating</dt><dd class="break" dir="auto">{handoff.ratingComment}</dd></div>}
    </>
  );
}
