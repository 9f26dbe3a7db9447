// What both typed programs share: requests over HTTP, and subscriptions over graphql-ws that resume. A document is a text
// with the types of its result and variables.
import { createClient } from 'graphql-ws';

export interface Event {
  cursor: string;
  type: string;
  conversationId: string;
}

/** What scenario.mjs expects of a client. */
export interface Adapter {
  ask(question: string): Promise<string>;
  page(search: string, first: number, after: string | null): Promise<{ ids: string[]; endCursor: string | null; hasNextPage: boolean }>;
  vote(id: string): Promise<string | null>;
  cursor(): Promise<string | null>;
  follow(after: string, onEvent: (event: Event) => void): () => void;
}

interface Response<Result> {
  data?: Result | null;
  errors?: ReadonlyArray<{ message: string }>;
}

export type Body = { query: string } | { documentId: string };

export class Connection {
  readonly #url: string;
  readonly #authorization: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#authorization = `Bearer ${key}`;
  }

  async run<Result>(body: Body, variables: object): Promise<Result> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { authorization: this.#authorization, 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ ...body, variables }),
    });
    const { data, errors } = (await response.json()) as Response<Result>;
    if (errors || !data) throw new Error(errors?.[0]?.message ?? `The server responded with status ${response.status}.`);
    return data;
  }

  /** Calls `onResult` for each result, and continues after the cursor of the last one when the connection was lost. */
  follow<Result>(query: string, after: string, cursorOf: (result: Result) => string, onResult: (result: Result) => void): () => void {
    const socket = createClient({ url: this.#url.replace(/^http/, 'ws'), connectionParams: { authorization: this.#authorization }, retryAttempts: Infinity, retryWait: async () => {} });
    const variables = { after };
    const stop = socket.subscribe<Result>({ query, variables }, {
      next({ data }) {
        if (!data) return;
        variables.after = cursorOf(data);
        onResult(data);
      },
      error: (error) => { throw error; },
      complete: () => {},
    });
    return () => {
      stop();
      void socket.dispose();
    };
  }
}
