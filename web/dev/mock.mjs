// A stand-in for the server while working on the pages: `npm run build && npm run mock`, then /demo.
//
// It serves `dist` under the server's content security policy and executes the real schema over made-up
// data in memory: HTTP, WebSocket and SSE, with a log of events that resumes by cursor. Any key is right;
// keys that begin `wk_` are visitors. It is never shipped, and its answers are no measure of the engine.

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSchema, execute, parse, subscribe, validate } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { conversation, entry, fixtures, hook, member, message } from "./fixtures.mjs";

const WEB = fileURLToPath(new URL("..", import.meta.url));
const DIST = join(WEB, "dist");
const PAGE_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; font-src 'self'; "
  + "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json", ".ttf": "font/ttf" };

const schema = buildSchema(readFileSync(join(WEB, "../schema.graphql"), "utf8"));
for (const type of Object.values(schema.getTypeMap())) {
  if (["Node", "AnswerEvent"].includes(type.name)) type.resolveType = (value) => value.__typename;
}

/** A server of its own, so that several can run in one process. */
export function mockServer() {
  const data = fixtures();
  const log = [];
  const waiting = new Set();
  const tell = (type, conv, extra = {}) => {
    const at = new Date().toISOString();
    log.push({ id: `evt_${log.length + 1}`, cursor: String(log.length + 1), type, createdAt: at, sessionId: conv.sessionId, conversationId: conv.id, conversation: conv, message: null, ...extra });
    waiting.forEach((wake) => wake());
  };
  const root = resolvers(data, tell);
  const watch = async function* ({ after, sessionId, conversationId, types }, context) {
    let at = after ? Number(after) : log.length;
    try {
      while (!context.isOver) {
        for (; at < log.length; at++) {
          const event = log[at];
          const fits = (!sessionId || event.sessionId === sessionId) && (!conversationId || event.conversationId === conversationId);
          if (fits && (!types?.length || types.includes(event.type))) yield { conversationEvents: event };
        }
        let wake;
        await new Promise((resolve) => {
          wake = resolve;
          context.wake = resolve;
          waiting.add(wake);
        });
        waiting.delete(wake);
      }
    } finally {
      context.isOver = true;
    }
  };
  const answer = async function* ({ input }, ctx) {
    const payload = await root.askQuestion({ input }, ctx);
    for (const text of payload.conversation.answer.match(/\S+\s*/g)) {
      await new Promise((resolve) => setTimeout(resolve, 15));
      yield { answer: { __typename: "AnswerDelta", text } };
    }
    yield { answer: { __typename: "AnswerFinished", payload } };
  };
  const live = (_root, args, ctx, info) => (info.fieldName === "answer" ? answer(args, ctx) : watch(args, ctx));
  const context = (key) => ({ isVisitor: /^wk_/.test(key ?? ""), isOver: false });
  const run = (query, variables, ctx) => {
    const document = parse(query);
    const errors = validate(schema, document);
    if (errors.length) return { errors };
    const isLive = document.definitions.some((d) => d.operation === "subscription");
    const args = { schema, document, variableValues: variables, contextValue: ctx, rootValue: root };
    return isLive ? subscribe({ ...args, subscribeFieldResolver: live }) : execute(args);
  };

  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://mock");
    const body = await readBody(request);
    const key = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const json = (status, value) => send(response, status, "application/json", JSON.stringify(value));
    if (request.method === "OPTIONS") return send(response, 204, "text/plain", "");
    if (pathname === "/api/v1/config") return key ? json(200, restConfig(data.site.widget)) : json(401, { error: "Unauthorized" });
    if (pathname.startsWith("/graphql") && request.method === "POST") {
      if (!key || key === "wrong") return json(401, { errors: [{ message: "No such key", extensions: { code: "UNAUTHENTICATED" } }] });
      const { query, variables } = JSON.parse(body);
      const ctx = context(key);
      const result = await run(query, variables, ctx);
      return pathname === "/graphql/stream" ? stream(response, result, ctx) : json(200, result);
    }
    return page(pathname, response);
  });
  const sockets = new WebSocketServer({ server, path: "/graphql" });
  useServer({
    onConnect: ({ connectionParams }) => connectionParams?.apiKey !== "wrong",
    onSubscribe: ({ connectionParams }, _id, { query, variables }) => ({
      schema, document: parse(query), variableValues: variables, rootValue: root, contextValue: context(connectionParams?.apiKey),
    }),
    subscribe: (args) => subscribe({ ...args, subscribeFieldResolver: live }),
    execute,
  }, sockets);
  return { server, sockets, data, root };
}

function resolvers(data, tell) {
  const { site } = data;
  const find = (id) => data.conversations.find((c) => c.id === id);
  const done = (conv, extra = {}) => ({ conversation: conv, userErrors: [], ...extra });
  const refused = (code, text, field) => ({ userErrors: [{ code, message: text, field }], suggestions: [], updated: [], isNew: false });
  const say = (conv, author, name, text) => {
    const said = message(conv, author, name, text);
    tell("MESSAGE_CREATED", conv, { message: said });
    return said;
  };
  return {
    viewer: (_a, { isVisitor }) => ({ kind: isVisitor ? "WIDGET" : "SECRET", scopes: isVisitor ? ["CHAT"] : ["ADMIN"], sessionId: null, site, member: isVisitor ? null : { id: data.members[0].id, name: data.members[0].name } }),
    site: () => site,
    node: ({ id }) => find(id) ?? data.sources.find((s) => s.id === id) ?? null,
    askQuestion: async ({ input }) => {
      await new Promise((resolve) => setTimeout(resolve, 250));
      if (/explode/.test(input.question)) throw new Error("Internal server error");
      const conv = conversation(data, input);
      tell("CONVERSATION_CREATED", conv);
      if (conv.isUnanswered) tell("CONVERSATION_UNANSWERED", conv);
      const suggestions = conv.outcome === "SUGGESTED" ? ["How long does delivery take?", "Can I return a bag?"] : [];
      return done(conv, { sessionToken: "vst_mock", suggestions });
    },
    submitFeedback: ({ input }) => {
      const conv = find(input.conversationId);
      conv.feedback = input.feedback;
      tell("CONVERSATION_FEEDBACK", conv);
      return done(conv);
    },
    requestHandoff: ({ input }) => {
      const conv = find(input.conversationId);
      conv.handoff = { status: "REQUESTED", customerEmail: input.customerEmail ?? null, assignee: null, requestedAt: new Date().toISOString() };
      tell("CONVERSATION_HANDOFF", conv);
      return done(conv);
    },
    sendMessage: ({ input }, { isVisitor }) => {
      const conv = find(input.conversationId);
      return done(conv, { message: say(conv, isVisitor ? "VISITOR" : "AGENT", isVisitor ? null : "Mira", input.text) });
    },
    ...Object.fromEntries([["assign", "ASSIGNED"], ["resolve", "RESOLVED"], ["reopen", "REOPENED"]].map(([verb, state]) => [`${verb}Conversation`, ({ input }) => {
      const conv = find(input.conversationId);
      conv.handoff = { ...conv.handoff, status: state === "REOPENED" ? "REQUESTED" : state, assignee: data.members[0] };
      conv.updatedAt = new Date().toISOString();
      tell(`CONVERSATION_${state}`, conv);
      return done(conv);
    }])),
    addSource: ({ input }) => {
      if (!/^https?:\/\/[^/]+\./.test(input.url)) return refused("BAD_USER_INPUT", "The address must be http or https", ["input", "url"]);
      const source = data.addSource(input.url);
      return { source, isNew: true, userErrors: [] };
    },
    rescrapeSource: ({ input }) => {
      const source = data.sources.find((s) => s.id === input.id);
      source.status = "SCRAPING";
      return { source, userErrors: [] };
    },
    deleteSource: ({ input }) => {
      data.sources.splice(data.sources.findIndex((s) => s.id === input.id), 1);
      return { deletedId: input.id, userErrors: [] };
    },
    addFaqEntry: ({ input }) => ({ entry: data.entries.unshift(entry(input)) && data.entries[0], userErrors: [] }),
    promoteToFaq: ({ input }) => ({ entry: data.entries.unshift(entry({ question: find(input.conversationId).question, answer: input.answer ?? "" })) && data.entries[0], answeredNow: [{ text: find(input.conversationId).question, isAnsweredNow: true }], userErrors: [] }),
    updateFaqEntry: ({ input }) => ({ entry: Object.assign(data.entries.find((e) => e.id === input.id), input), userErrors: [] }),
    deleteFaqEntry: ({ input }) => {
      data.entries = data.entries.filter((e) => e.id !== input.id);
      return { deletedId: input.id, userErrors: [] };
    },
    addPhrasing: ({ input }) => {
      const found = data.entries.find((e) => e.id === input.entryId);
      found.phrasings.push(input.phrasing);
      return { entry: found, userErrors: [] };
    },
    createWebhook: ({ input }) => ({ webhook: data.hooks[data.hooks.push(hook(input)) - 1], secret: "whsec_bWFkZSB1cCBieSB0aGUgbW9jayBzZXJ2ZXI=", userErrors: [] }),
    updateWebhook: ({ input }) => ({ webhook: Object.assign(data.hooks.find((one) => one.id === input.id), input), userErrors: [] }),
    deleteWebhook: ({ input }) => {
      data.hooks = data.hooks.filter((one) => one.id !== input.id);
      return { deletedId: input.id, userErrors: [] };
    },
    sendTestEvent: ({ input }) => ({ delivery: data.hooks.find((one) => one.id === input.webhookId).all[0], userErrors: [] }),
    addMember: ({ input }) => ({ member: data.members[data.members.push(member(input)) - 1], secret: "pat_live_Zk3T9qLw5RbN8vXc2MhY7pDj4FsG6aEu000000", userErrors: [] }),
    removeMember: ({ input }) => {
      data.members = data.members.filter((m) => m.id !== input.id);
      return { removedId: input.id, userErrors: [] };
    },
    updateWidgetConfig: ({ input }) => {
      const { siteId: _, ...fields } = input;
      Object.assign(site.widget, fields);
      return { widget: site.widget, updated: Object.keys(fields), userErrors: [] };
    },
    updateAnswerSettings: ({ input }) => {
      site.answerSettings.targetPrecision = input.targetPrecision;
      return { answerSettings: site.answerSettings, userErrors: [] };
    },
    createApiKey: ({ input }) => {
      const apiKey = data.addKey(input);
      return { apiKey, secret: `${input.kind === "WIDGET" ? "wk" : "sk"}_live_Zk3T9qLw5RbN8vXc2MhY7pDj4FsG6aEu0000${apiKey.last4.slice(2)}`, userErrors: [] };
    },
    revokeApiKey: ({ input }) => {
      const apiKey = site.apiKeys.find((k) => k.id === input.id);
      apiKey.revokedAt = new Date().toISOString();
      return { apiKey, userErrors: [] };
    },
  };
}

function restConfig(widget) {
  return { ...widget, position: widget.position.toLowerCase().replace("_", "-") };
}

async function readBody(request) {
  let text = "";
  for await (const part of request) text += part;
  return text;
}

function send(response, status, type, body) {
  response.writeHead(status, {
    "Content-Type": type, "Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, X-HelpBot-Session",
    "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Security-Policy": PAGE_POLICY,
  });
  response.end(body);
}

async function stream(response, result, ctx) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*" });
  response.write(":\n\n");
  response.on("close", () => {
    ctx.isOver = true;
    ctx.wake?.();
  });
  const parts = Symbol.asyncIterator in result ? result : [result];
  try {
    for await (const part of parts) response.write(`id: ${part.data?.conversationEvents?.cursor ?? ""}\nevent: next\ndata: ${JSON.stringify(part)}\n\n`);
  } catch (error) {
    response.write(`event: next\ndata: ${JSON.stringify({ errors: [{ message: error.message, extensions: { code: "INTERNAL" } }] })}\n\n`);
  }
  response.end("event: complete\ndata:\n\n");
}

function page(pathname, response) {
  const name = /^\/(demo|embed|graphiql|dashboard)(\/|$)/.exec(pathname)?.[1];
  const file = join(DIST, name ? `${name}.html` : pathname);
  if (!file.startsWith(DIST) || !extname(file) || !existsSync(file)) return send(response, 404, "text/plain", "Not found");
  const bytes = readFileSync(file);
  const body = extname(file) === ".html" ? bytes.toString().replace("%HELPBOT_WIDGET_KEY%", "wk_live_mock") : bytes;
  return send(response, 200, TYPES[extname(file)], body);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { server } = mockServer();
  server.listen(Number(process.env.PORT ?? 8099), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/demo`));
}
