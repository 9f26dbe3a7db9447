// The connection of the panel to the server. It uses only the public GraphQL API: requests by POST, the answer as a
// stream while it is written, and events over WebSocket, server-sent events or polling, whichever the network allows.
//
// It keeps no state of the chat. The preview in the dashboard gives the panel another `Backend`.

import type { HandoffStatus, Said } from "../generated/widget";
import { Activity, Answer as AnswerStream, Ask, type AskResult, Current, Events, type EventsResult, type EventsVariables, Handoff, Say, Typing, Vote } from "../generated/widget";
import type { Doc } from "../client/src/document";
import { type Following, type State, eventsOf, follow } from "../client/src/follow";
import { ApiError, type Credentials, NetworkError, request } from "../client/src/graphql";
import { pollTransport } from "../client/src/poll";
import { socketTransport } from "../client/src/socket";
import { results, sseTransport } from "../client/src/sse";
import type { Link, Session } from "./state";

export type LiveEvent = EventsResult["conversationEvents"];

type Payload = AskResult["askQuestion"];

export interface Answer {
  conversationId: string;
  text: string;
  links: Link[];
  suggestions: string[];
  answered: boolean;
  /** The session of the conversation. Null when the server gave no token for it. */
  session: Session | null;
  /** The status of the handoff, when the words of the question asked for a human. */
  status: HandoffStatus | null;
}

/** The server's state of a conversation. */
export interface ConversationNow {
  id: string;
  status: HandoffStatus | null;
  messages: Said[];
}

export interface Followers {
  event(event: LiveEvent): void;
  state(state: State): void;
  /** Reads the state again. Rejects when the server cannot be reached. */
  read(): Promise<void>;
}

export interface Backend {
  /** Whether the server offers chat with an agent. */
  canSay: boolean;
  /**
   * Asks a question. The same `key` is answered once when it is asked by POST. `onText` gets the text so far each time
   * more of it arrives. Without a session the server begins a new one.
   */
  ask(session: Session | null, question: string, key: string, isRepeated: boolean, onText: (text: string) => void): Promise<Answer>;
  vote(session: Session | null, conversationId: string, isHelpful: boolean): Promise<void>;
  /** Asks for a human, without a conversation in a new one. Returns the conversation and the session that began with it. */
  handoff(session: Session | null, conversationId: string | null, email: string | null): Promise<{ id: string | null; session: Session | null }>;
  /** Executes an operation of a form. Null in the preview, which has no server. */
  run: (<Result, Variables>(session: Session | null, operation: Doc<Result, Variables>, variables: Variables) => Promise<Result>) | null;
  say(session: Session, conversationId: string, text: string, key: string): Promise<Said | null>;
  current(session: Session, ids: string[]): Promise<ConversationNow[]>;
  follow(session: Session, cursor: string | null, on: Followers): Following | null;
  /** Tells the agent that the visitor is typing. Errors are ignored. */
  tellTyping(session: Session, conversationId: string, isTyping: boolean): void;
  /** Reports the presence of the visitor and watches the team until the returned function is called. */
  watchTeam(session: Session, conversationId: string, on: (isTyping: boolean, isHere: boolean) => void): () => void;
}

/** A stream that delivers no bytes for this long is broken: the server sends a comment every 12 seconds. */
const SILENT_MS = 15_000;
/** A stream that delivers no text for this long is given up, and the question is sent by POST instead. */
const STALLED_MS = 25_000;

export class ServerBackend implements Backend {
  readonly canSay = true;
  #canStream = true;

  readonly #endpoint: string;
  readonly #apiKey: string;

  constructor(endpoint: string, apiKey: string) {
    this.#endpoint = endpoint;
    this.#apiKey = apiKey;
  }

  #credentials(session: Session | null): Credentials {
    return { apiKey: this.#apiKey, sessionToken: session?.token };
  }

  async ask(session: Session | null, question: string, key: string, isRepeated: boolean, onText: (text: string) => void): Promise<Answer> {
    const input = session ? { question, sessionId: session.id } : { question };
    // A repeated question goes by POST, where the server recognizes the key and returns the stored answer.
    const streamed = this.#canStream && !isRepeated ? await this.#streamed(session, input, key, onText) : null;
    const payload = streamed ?? (await this.run(session, Ask, { input }, key)).askQuestion;
    accept(payload.userErrors);
    return answerOf(payload, session);
  }

  /** The streamed answer, or null when the stream is blocked or has stalled. */
  async #streamed(session: Session | null, input: { question: string; sessionId?: string }, key: string, onText: (text: string) => void): Promise<Payload | null> {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let textAt = Date.now();
    let hasBytes = false;
    const expect = () => {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), Math.max(0, Math.min(SILENT_MS, textAt + STALLED_MS - Date.now())));
    };
    const onBytes = () => {
      hasBytes = true;
      expect();
    };
    const operation = { endpoint: this.#endpoint, credentials: this.#credentials(session), document: AnswerStream, variables: { input }, idempotencyKey: `${key}-stream`, signal: abort.signal, onBytes };
    let text = "";
    expect();
    try {
      for await (const { answer } of results(operation)) {
        if (answer.payload) return answer.payload;
        text = answer.isRestart ? "" : text + (answer.text ?? "");
        textAt = Date.now();
        expect();
        onText(text);
      }
    } catch (error) {
      const isBlocked = error instanceof NetworkError ? navigator.onLine : error instanceof ApiError && /^HTTP_/.test(error.code);
      if (!isBlocked) throw error;
    } finally {
      clearTimeout(timer);
    }
    // Without any bytes the network blocks streams, so the next question does not try one.
    this.#canStream = hasBytes;
    onText("");
    return null;
  }

  async vote(session: Session | null, conversationId: string, isHelpful: boolean): Promise<void> {
    const input = { conversationId, feedback: isHelpful ? "HELPFUL" as const : "UNHELPFUL" as const };
    accept((await this.run(session, Vote, { input })).submitFeedback.userErrors);
  }

  async handoff(session: Session | null, conversationId: string | null, customerEmail: string | null): Promise<{ id: string | null; session: Session | null }> {
    const { requestHandoff: { conversation, sessionToken, userErrors } } = await this.run(session, Handoff, { input: { conversationId, customerEmail } });
    // The human was called, but the address was not stored, because the session was not proved.
    accept(userErrors.filter(({ code }) => code !== "FORBIDDEN"));
    return { id: conversationId ?? conversation?.id ?? null, session: conversation && sessionToken ? { id: conversation.sessionId, token: sessionToken } : null };
  }

  readonly run = <Result, Variables>(session: Session | null, operation: Doc<Result, Variables>, variables: Variables, key?: string): Promise<Result> =>
    request(this.#endpoint, this.#credentials(session), operation, variables, key);

  async say(session: Session, conversationId: string, text: string, key: string): Promise<Said | null> {
    const { sendMessage } = await this.run(session, Say, { input: { conversationId, text } }, key);
    accept(sendMessage.userErrors);
    return sendMessage.message;
  }

  async current(session: Session, ids: string[]): Promise<ConversationNow[]> {
    const { nodes } = await this.run(session, Current, { ids });
    return nodes.flatMap((node) => (node?.id ? [{
      id: node.id, status: node.handoff?.status ?? null, messages: node.messages?.nodes ?? [],
    }] : []));
  }

  follow(session: Session, cursor: string | null, on: Followers): Following | null {
    const credentials = () => this.#credentials(session);
    const events = eventsOf<LiveEvent, EventsResult, EventsVariables>(Events, () => ({ sessionId: session.id }));
    return follow<LiveEvent>([
      socketTransport(this.#endpoint, credentials, events),
      sseTransport(this.#endpoint, credentials, events),
      pollTransport(() => on.read()),
    ], { after: cursor, onEvent: on.event, onState: on.state, onGap: () => void on.read().catch(() => {}) });
  }

  tellTyping(session: Session, conversationId: string, isTyping: boolean): void {
    this.run(session, Typing, { input: { conversationId, isTyping } }).catch(() => {});
  }

  watchTeam(session: Session, id: string, on: (isTyping: boolean, isHere: boolean) => void): () => void {
    const abort = new AbortController();
    const listen = async () => {
      const operation = { endpoint: this.#endpoint, credentials: this.#credentials(session), document: Activity, variables: { id }, signal: abort.signal };
      for await (const { conversationActivity: now } of results(operation)) on(now.isTeamTyping, now.isTeamHere);
    };
    listen().catch(() => {}).finally(() => on(false, false));
    return () => abort.abort();
  }
}

/** Throws the first user error of a payload. */
export function accept(errors: Array<{ message: string; code: string }>): void {
  const error = errors[0];
  if (error) throw new ApiError(error.code, error.message, 200);
}

function answerOf({ conversation, suggestions, sessionToken }: Payload, session: Session | null): Answer {
  if (!conversation) throw new ApiError("INTERNAL", "", 200);
  const seen = new Set<string>();
  const links = conversation.citations.flatMap(({ title, url, textFragment }) => {
    if (!url || seen.has(url)) return [];
    seen.add(url);
    return [{ title: title || url, url: textFragment ?? url }];
  });
  const token = sessionToken ?? session?.token;
  return {
    conversationId: conversation.id, text: conversation.answer, links, suggestions: suggestions ?? [], answered: !conversation.isUnanswered,
    session: token ? { id: conversation.sessionId, token } : null, status: conversation.handoff?.status ?? null,
  };
}
