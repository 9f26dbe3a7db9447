// The words for enum values of the API. No raw value such as `WRITE_CONVERSATIONS` is ever shown to a person.

/** Words for values whose lowercase form is not plain English. */
const LABELS: Record<string, string> = {
  DECLINED: "not answered", SUGGESTED: "suggestions shown", UNHELPFUL: "not helpful",
  REQUESTED: "waiting", ASSIGNED: "assigned", RESOLVED: "resolved",
  INDEXED: "ready", SYNCING: "syncing",
  ADMIN: "admin", CHAT: "chat as a visitor", READ_ANALYTICS: "read analytics", READ_CONFIG: "read widget settings",
  READ_CONVERSATIONS: "read conversations", READ_SOURCES: "read sources and answers", WEBHOOKS: "manage webhooks",
  WRITE_CONFIG: "change settings", WRITE_CONVERSATIONS: "answer visitors", WRITE_SOURCES: "change sources and answers",
  NOT_RELEVANT: "not about the question", UNCLEAR: "hard to understand", OTHER: "something else",
  SIGN_IN: "sign-in by mail", ALL: "all", ANSWERED: "answered", UNANSWERED: "unanswered", HANDOFF: "handed over", HELPFUL: "helpful",
};

/** The words for an enum value. Values without an entry are shown in lowercase with spaces. */
export const labelOf = (value: string): string => LABELS[value] ?? value.toLowerCase().replaceAll("_", " ");

/** How the navigation names the key of a user who is not a member. */
export const KEY_KINDS: Record<string, string> = { SECRET: "Secret key", OPERATOR: "Operator key", MEMBER: "Member key", SIGN_IN: "Signed in by mail" };

/**
 * A server message without raw field names: the name of `field` at any place in `message` becomes words, so that
 * "botName must be at most 80 characters" reads "Bot name must be at most 80 characters".
 */
export function withoutFieldNames(message: string, field: string | undefined): string {
  if (!field || !/[a-z][A-Z]/.test(field)) return message;
  const words = field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  const text = message.replaceAll(field, words);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
