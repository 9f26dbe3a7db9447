// What the panel loads when it is needed: the forms, and the report of the visit. It is one file, because the report is
// needed as soon as a session has begun.

import { type Run, type TranscriptForm, senderOf, transcriptForm as formOf } from "./transcript";

export { emailForm } from "./handoff";
export { ratingForm, reasonForm } from "./opinion";
export { tell } from "./visit";

/** The form that sends a conversation by e-mail. */
export const transcriptForm = (of: Omit<TranscriptForm, "send"> & { run: Run; conversationId: string }): HTMLElement => formOf({ ...of, send: senderOf(of.run, of.conversationId) });
