// The panel's way to the server: GraphQL first, and where a network lets only plain REST through, REST.
// The dashboard's preview gives the panel another `Backend`, which answers without a server.

import { type Following, type State, follow } from "../live/follow";
import { ApiError, type Credentials, NetworkError, headersOf, reach, request } from "../live/graphql";
import { socketTransport } from "../live/socket";
import { results, sseTransport } from "../live/sse";
import { Activity, Answer as AnswerStream, Ask, type AskResult, Events, type EventsResult, type EventsVariables, Handoff, Messages, type Said, Say, Typing, Vote, supports } from "../generated/widget";
import type { Link, Session } from "./session";

export type LiveEvent = EventsResult["conversationEvents"];

type Payload = AskResult["askQuestion"];

export interface Answer {
  conversationId: string;
  text: string;
  links: Link[];
  suggestions: string[];
  answered: boolean;
}

export interface Backend {
  /** Whether a visitor can write to an agent; if not, what is typed goes on to the bot. */
  canSay: boolean;
  /**
   * The same `key` is answered once, however often it is sent. `onText` gets the whole text so far, each
   * time there is more of it, where the server writes while we read.
   */
  ask(question: string, key: string, onText: (text: string) => void): Promise<Answer>;
  vote(conversationId: string, isHelpful: boolean): Promise<void>;
  handoff(conversationId: string, email: string | null): Promise<void>;
  say(conversationId: string, text: string, key: string): Promise<Said | null>;
  messages(conversationId: string): Promise<Said[]>;
  follow(on: { event(e: LiveEvent): void; state(s: State): void; gap(): void }): Following | null;
  /** Says that the visitor types; lost where it does not get through. */
  tellTyping(conversationId: string, isTyping: boolean): void;
  /** Tells whether somebody of the team types, until stopped or the connection ends. */
  watchTyping(conversationId: string, on: (isTyping: boolean) => void): () => void;
}

/** Statuses with which proxies and old servers turn GraphQL away while REST may still pass. */
const NO_GRAPHQL = new Set([404, 405, 415, 501]);

export class ServerBackend implements Backend {
  readonly canSay = supports.Say;
  private isRest = false;
  private hasWorked = false;
  private canStream = supports.Answer;

  /** `session` is read and written here: ids, token and cursor live in it. */
  constructor(private readonly base: string, private readonly apiKey: string, private readonly session: Session) {}

  private get endpoint(): string {
    return `${this.base}/graphql`;
  }

  private credentials = (): Credentials => ({ apiKey: this.apiKey, sessionToken: this.session.sessionToken });

  /** Runs `graphql`, or `rest` once it is known that GraphQL does not get through here. */
  private async either<T>(graphql: () => Promise<T>, rest: () => Promise<T>): Promise<T> {
    if (this.isRest) return rest();
    try {
      const result = await graphql();
      this.hasWorked = true;
      return result;
    } catch (error) {
      if (!this.isBlocked(error)) throw error;
      const result = await rest();
      this.isRest = true;
      return result;
    }
  }

  /** A lost answer is not asked for again: only a way that has never worked is taken to be blocked. */
  private isBlocked(error: unknown): boolean {
    if (this.hasWorked) return false;
    if (error instanceof NetworkError) return navigator.onLine;
    return error instanceof ApiError && error.code.startsWith("HTTP_") && NO_GRAPHQL.has(error.status);
  }

  private async post<T>(path: string, body: object, key?: string): Promise<T> {
    const headers = headersOf({ apiKey: this.apiKey }, key);
    const response = await reach(`${this.base}/api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    const json = await response.json().catch(() => ({})) as T & { error?: string; code?: string };
    if (!response.ok) throw new ApiError(json.code ?? `HTTP_${response.status}`, json.error ?? "", response.status);
    return json;
  }

  ask(question: string, key: string, onText: (text: string) => void): Promise<Answer> {
    const { session } = this;
    session.sessionId ??= crypto.randomUUID?.() ?? `v-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    const { sessionId } = session;
    return this.either(async () => {
      const payload = await this.streamed(question, sessionId, key, onText)
        ?? (await request(this.endpoint, this.credentials(), Ask, { input: { question, sessionId } }, key)).askQuestion;
      refuse(payload.userErrors);
      session.sessionToken = payload.sessionToken ?? session.sessionToken;
      return answerOf(payload);
    }, async () => {
      const said = await this.post<{ answer: string; sources: string[]; conversationId: string }>("chat", { question, sessionId }, key);
      const links = said.sources.map((url) => ({ title: url, url }));
      return { conversationId: said.conversationId, text: said.answer, links, suggestions: [], answered: links.length > 0 };
    });
  }

  /** The answer as it is written; null where streams do not get through, so that nothing was asked yet. */
  private async streamed(question: string, sessionId: string, key: string, onText: (text: string) => void): Promise<Payload | null> {
    if (!this.canStream) return null;
    let text = "";
    let hasOpened = false;
    const ask = { endpoint: this.endpoint, credentials: this.credentials(), query: AnswerStream, variables: { input: { question, sessionId } }, idempotencyKey: key };
    try {
      for await (const { answer } of results(ask, () => (hasOpened = true))) {
        if (answer.payload) return answer.payload;
        text = answer.isRestart ? "" : text + (answer.text ?? "");
        onText(text);
      }
    } catch (error) {
      if (hasOpened || error instanceof NetworkError) throw error;
    }
    if (hasOpened) throw new NetworkError("The answer broke off");
    this.canStream = false;
    return null;
  }

  vote(conversationId: string, isHelpful: boolean): Promise<void> {
    const feedback = isHelpful ? "HELPFUL" : "UNHELPFUL";
    return this.either(
      async () => refuse((await request(this.endpoint, this.credentials(), Vote, { input: { conversationId, feedback } })).submitFeedback.userErrors),
      () => this.post("feedback", { conversationId, helpful: isHelpful ? "yes" : "no" }),
    );
  }

  handoff(conversationId: string, email: string | null): Promise<void> {
    const input = email ? { conversationId, customerEmail: email } : { conversationId };
    return this.either(
      async () => refuse((await request(this.endpoint, this.credentials(), Handoff, { input })).requestHandoff.userErrors),
      () => this.post("handoff", input),
    );
  }

  async say(conversationId: string, text: string, key: string): Promise<Said | null> {
    const { sendMessage } = await request(this.endpoint, this.credentials(), Say, { input: { conversationId, text } }, key);
    refuse(sendMessage.userErrors);
    return sendMessage.message;
  }

  async messages(id: string): Promise<Said[]> {
    const { node } = await request(this.endpoint, this.credentials(), Messages, { id });
    return node?.messages?.nodes ?? [];
  }

  tellTyping(conversationId: string, isTyping: boolean): void {
    if (supports.Typing) request(this.endpoint, this.credentials(), Typing, { input: { conversationId, isTyping } }).catch(() => {});
  }

  watchTyping(id: string, on: (isTyping: boolean) => void): () => void {
    const abort = new AbortController();
    const listen = async () => {
      const ask = { endpoint: this.endpoint, credentials: this.credentials(), query: Activity, variables: { id }, signal: abort.signal };
      for await (const { conversationActivity } of results(ask)) on(conversationActivity.isTeamTyping);
    };
    if (supports.Activity) listen().catch(() => {}).finally(() => on(false));
    return () => abort.abort();
  }

  follow(on: { event(e: LiveEvent): void; state(s: State): void; gap(): void }): Following | null {
    const { sessionId, sessionToken } = this.session;
    if (!sessionId || !sessionToken) return null;
    const variables = (): EventsVariables => ({ sessionId });
    return follow<LiveEvent>([
      socketTransport(this.endpoint, this.credentials, Events, variables),
      sseTransport(this.endpoint, this.credentials, Events, variables),
    ], {
      after: this.session.cursor,
      onEvent: (event) => {
        this.session.cursor = event.cursor;
        on.event(event);
      },
      onState: (state) => on.state(state),
      onGap: () => on.gap(),
    });
  }
}

function refuse(errors: Array<{ message: string; code: string }>): void {
  const error = errors[0];
  if (error) throw new ApiError(error.code, error.message, 200);
}

function answerOf({ conversation, suggestions }: Payload): Answer {
  if (!conversation) throw new ApiError("INTERNAL", "No conversation came back", 200);
  const seen = new Set<string>();
  const links = conversation.citations.flatMap(({ title, url }) => {
    if (!url || seen.has(url)) return [];
    seen.add(url);
    return [{ title: title || url, url }];
  });
  return { conversationId: conversation.id, text: conversation.answer, links, suggestions, answered: !conversation.isUnanswered };
}
