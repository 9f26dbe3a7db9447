// Made-up data for the mock server: one shop with some weeks of questions.

const DAY_MS = 86_400_000;

const ANSWERS = [
  ["How long does delivery take?", "Inside the EU **2 to 4 working days**, elsewhere up to ten.\n\n1. We pack on the day you order.\n2. You get a tracking link by e-mail.\n3. A neighbour may take it in for you.", "Delivery", "https://tern.example/help/delivery"],
  ["Can I return a bag?", "Yes, within 30 days and unused. Print the label from your [order page](https://tern.example/orders) and drop the parcel at any post office.", "Returns", "https://tern.example/help/returns"],
  ["Is the canvas waterproof?", "It is waxed and sheds rain for hours. It is *not* made for swimming: welded seams keep spray out, but the top is a roll and no zip.", "Materials", "https://tern.example/help/materials"],
  ["How do I wax it again?", "Once a year, with a hair dryer and a cloth:\n\n- Warm the canvas\n- Rub in `20 g` of wax\n- Let it rest overnight", "Care", "https://tern.example/help/care"],
];
const UNKNOWN = ["Do you repair bags from other makers?", "Is there a discount for schools?", "=HYPERLINK(\"http://evil.example\")", "Kann ich in Raten zahlen?"];

const WIDGET = {
  primaryColor: "#2563eb", primaryForeground: "#ffffff", backgroundColor: "#ffffff", foregroundColor: "#111827",
  secondaryColor: "#f3f4f6", secondaryForeground: "#111827", position: "BOTTOM_RIGHT", greeting: "Hi! How can I help you?",
  botName: "HelpBot", showBranding: true, aiLanguage: "auto", inputPlaceholder: "Type your question…", typingText: "Typing…",
  onlineText: "Online", handoffText: "Talk to a human", handoffSentText: "Thanks! Our team has been notified.",
  emailPlaceholder: "Your e-mail (optional)", emailSendText: "Send", emailSkipText: "Skip", feedbackYesText: "Glad it helped!",
  feedbackNoText: "Sorry about that. Would you like to talk to a human?", errorText: "Something went wrong. Please try again.",
  networkErrorText: "You seem to be offline. Please check your connection.",
};

let count = 0;
const nextId = (prefix) => `${prefix}_01mock${String(++count).padStart(20, "0")}`;

/** A connection over `all`, forward or by pages. */
function connection(all, { first = 20, last, after, page } = {}) {
  const from = page ? (page - 1) * first : after ? Number(after) : last ? Math.max(0, all.length - last) : 0;
  const nodes = all.slice(from, from + (last ?? first));
  const pageInfo = { hasNextPage: from + nodes.length < all.length, hasPreviousPage: from > 0, startCursor: String(from), endCursor: String(from + nodes.length) };
  return { nodes, edges: nodes.map((node, i) => ({ node, cursor: String(from + i + 1) })), pageInfo, totalCount: all.length };
}

const STATES = {
  UNANSWERED: (c) => c.isUnanswered, ANSWERED: (c) => !c.isUnanswered, HANDOFF: (c) => c.handoff,
  HELPFUL: (c) => c.feedback === "HELPFUL", UNHELPFUL: (c) => c.feedback === "UNHELPFUL",
};

export function message(conv, author, agentName, text, at = Date.now()) {
  const said = { __typename: "Message", id: nextId("msg"), seq: conv.said.length + 1, author, agentName, text, createdAt: new Date(at).toISOString() };
  conv.said.push(said);
  conv.updatedAt = said.createdAt;
  return said;
}

export function conversation(data, { question, sessionId }, at = Date.now()) {
  const words = question.toLowerCase().match(/\p{L}{4,}/gu) ?? [];
  const hit = ANSWERS.find(([q]) => words.filter((w) => q.toLowerCase().includes(w)).length >= 1);
  const isUnanswered = !hit;
  const answer = hit ? hit[1] : "I'm not sure about that one. Did you mean one of these?";
  const when = new Date(at).toISOString();
  const conv = {
    __typename: "Conversation", id: nextId("conv"), sessionId: sessionId ?? nextId("ses"), question, answer, isUnanswered,
    outcome: hit ? "ANSWERED" : "SUGGESTED", confidence: hit ? 0.87 : 0.31, feedback: null, handoff: null, language: "en",
    citations: hit ? [{ title: hit[2], url: hit[3], quote: hit[1].slice(0, 90), score: 0.87, source: data.sources[0] }] : [],
    sources: hit ? [hit[3]] : [], createdAt: when, updatedAt: when, said: [],
    messages: (args) => connection(conv.said, args),
  };
  message(conv, "VISITOR", null, question, at);
  message(conv, "BOT", null, answer, at);
  data.conversations.unshift(conv);
  return conv;
}

function source(url, status, documentCount, error = null) {
  const now = new Date().toISOString();
  const pages = Array.from({ length: documentCount }, (_, i) => ({
    id: nextId("page"), url: `${url}/${i + 1}`, title: `Page ${i + 1}`, chunkCount: i % 4 ? 6 : 0, fetchedAt: now,
    outcome: i % 4 ? "FETCHED" : "SKIPPED", reason: i % 4 ? null : "robots.txt disallows it",
  }));
  return {
    __typename: "Source", id: nextId("src"), kind: "URL", url, title: "Tern & Tide help", status, error, documentCount,
    chunkCount: documentCount * 6, lastScrapedAt: status === "INDEXED" ? now : null, createdAt: now, updatedAt: now,
    pages: (args) => connection(pages, args),
  };
}

export function fixtures() {
  const data = { conversations: [], sources: [source("https://tern.example/help", "INDEXED", 14), source("https://tern.example/blog", "FAILED", 0, "The server answered 503 Service Unavailable")] };
  for (let i = 0; i < 46; i++) {
    const question = i % 5 === 4 ? UNKNOWN[i % 4] : ANSWERS[i % 4][0];
    const conv = conversation(data, { question, sessionId: `visitor-${i % 17}` }, Date.now() - (46 - i) * DAY_MS * 0.41);
    if (i % 3 === 0) conv.feedback = i % 2 ? "UNHELPFUL" : "HELPFUL";
  }
  const waiting = data.conversations[2];
  waiting.handoff = { status: "REQUESTED", customerEmail: "ada@example.org", assignee: null, requestedAt: waiting.createdAt };
  message(waiting, "VISITOR", null, "It is for a school of 300, so I would like to talk about it.");
  const keys = [["WIDGET", "Shop pages"], ["SECRET", "Back office"]].map(([kind, name]) => key({ kind, name }));
  data.site = {
    __typename: "Site", id: nextId("site"), name: "Tern & Tide", plan: "SCALE", ownerEmail: "owner@tern.example", createdAt: new Date().toISOString(),
    credits: { used: 46, limit: 10_000, remaining: 9954, resetAt: new Date(Date.now() + 9 * DAY_MS).toISOString() },
    widget: { ...WIDGET }, answerSettings: { targetPrecision: 0.85 }, apiKeys: keys,
    sources: (args) => connection(data.sources, args),
    conversations: (args) => connection(filtered(data.conversations, args), args),
  };
  const days = Array.from({ length: 30 }, (_, i) => new Date(Date.now() - (29 - i) * DAY_MS).toISOString().slice(0, 10));
  data.site.analytics = () => ({
    range: "LAST_30_DAYS",
    overview: { totalQuestions: 46, unansweredCount: 9, satisfactionRate: 50, helpfulCount: 8, totalFeedback: 16, handoffCount: 1, handoffRate: 2, weekOverWeekChange: 12 },
    unansweredTopics: () => UNKNOWN.slice(0, 3).map((text, i) => ({
      label: text, count: 6 - i, unansweredCount: 6 - i,
      questions: [text, `${text.toLowerCase()} please`].map((words) => ({ text: words, count: 3, unansweredCount: 3, isAnsweredNow: false, conversation: data.conversations.find((c) => c.question === text) })),
    })),
    topQuestions: () => [],
    activity: days.map((date) => ({ date, count: data.conversations.filter((c) => c.createdAt.startsWith(date)).length })),
  });
  data.members = [member({ name: "Mira Holm", email: "mira@tern.example", role: "ADMIN" })];
  data.site.members = () => data.members;
  data.hooks = [hook({ url: "https://erp.tern.example/hooks/helpbot", events: ["CONVERSATION_UNANSWERED", "CONVERSATION_HANDOFF"], description: "Back office" })];
  data.site.webhooks = () => data.hooks;
  data.entries = ANSWERS.map(([question, answer, , url]) => entry({ question, answer, url }));
  data.site.faqEntries = (args) => connection(data.entries.filter((e) => !args.search || e.question.toLowerCase().includes(args.search.toLowerCase())), args);
  data.addSource = (url) => {
    const added = source(url, "PENDING", 0);
    data.sources.push(added);
    return added;
  };
  data.addKey = (input) => {
    const added = key(input);
    keys.push(added);
    return added;
  };
  return data;
}

export function member({ name, email, role }) {
  return { __typename: "Member", id: nextId("mem"), name, email, role, createdAt: new Date().toISOString() };
}

export function hook({ url, events, description = null }) {
  const now = new Date().toISOString();
  const attempt = (number, statusCode, error) => ({ number, startedAt: now, statusCode, error, errorCode: null, url, requestHeaders: [], responseBody: statusCode === 503 ? "busy" : "", totalMs: 84 * number });
  const made = { __typename: "Webhook", id: nextId("wh"), url, events, description, isEnabled: true, disabledReason: null, failingSince: null, redactedSecret: "****Qx7p", createdAt: now, updatedAt: now, rotation: null };
  const deliveries = [["DELIVERED", [attempt(1, 204, null)]], ["PENDING", [attempt(1, 503, null), attempt(2, null, "The receiver did not answer within 15 s")]]].map(([status, attempts]) => ({
    __typename: "WebhookDelivery", id: nextId("dlv"), webhookId: made.id, event: "CONVERSATION_HANDOFF", eventId: nextId("evt"), status, isTest: false, attemptCount: attempts.length, attempts, body: "{}", createdAt: now,
    nextAttemptAt: status === "PENDING" ? new Date(Date.now() + 300_000).toISOString() : null,
  }));
  return { ...made, all: deliveries, deliveries: (args) => connection(deliveries.filter((d) => !args.filter?.status || d.status === args.filter.status), args) };
}

export function entry({ question, answer, phrasings = [], url = null }) {
  return { __typename: "FaqEntry", id: nextId("faq"), question, answer, phrasings, categories: [], url, source: null };
}

function key({ kind, name, scopes = [], origins = [], expiresAt = null }) {
  return { __typename: "ApiKey", id: nextId("key"), kind, name, scopes, origins, expiresAt, last4: `${count}Qx7p`.slice(-4), revokedAt: null, lastUsedAt: null, createdAt: new Date().toISOString() };
}

function filtered(all, { filter = {}, orderBy } = {}) {
  const { state, search, sessionId, since } = filter ?? {};
  const found = all.filter((c) => (!state || state === "ALL" || STATES[state](c)) && (!sessionId || c.sessionId === sessionId)
    && (!since || c.createdAt >= since) && (!search || (c.question + c.answer).toLowerCase().includes(search.toLowerCase())));
  const field = orderBy?.startsWith("UPDATED") ? "updatedAt" : "createdAt";
  return found.sort((a, b) => (a[field] < b[field] ? -1 : 1) * (orderBy?.endsWith("_ASC") ? 1 : -1));
}
