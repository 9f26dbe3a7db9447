// What the panel loads when it is needed: the forms, and the report of the visit. It is one file, because the report is
// needed as soon as a session has begun.

export { emailForm } from "./handoff";
export { senderOf, transcriptForm } from "./transcript";
export { tell } from "./visit";
