// The documented Node client, over nothing but what `openapi-typescript` makes of our document and
// `openapi-fetch` of that: if the document said anything else than the server does, this would not
// compile, or `documented.ts` would fail.
import createClient from 'openapi-fetch';
import type { components, operations, paths } from './schema.js';

type Schemas = components['schemas'];
type ListQuery = NonNullable<operations['listConversations']['parameters']['query']>;

/** What the server refused, with its status and its code. */
export class HelpBotError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface Options {
  apiKey: string;
  baseUrl: string;
}

export class HelpBot {
  readonly #http;

  constructor({ apiKey, baseUrl }: Options) {
    this.#http = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${apiKey}` } });
  }

  async chat(question: string, options: Omit<Schemas['ChatRequest'], 'question'> = {}): Promise<Schemas['ChatAnswer']> {
    return data(await this.#http.POST('/api/v1/chat', { body: { question, ...options } }));
  }

  async feedback(conversationId: string, helpful: 'yes' | 'no'): Promise<boolean> {
    return data(await this.#http.POST('/api/v1/feedback', { body: { conversationId, helpful } })).success;
  }

  async handoff(conversationId: string, customerEmail?: string): Promise<boolean> {
    const body = customerEmail === undefined ? { conversationId } : { conversationId, customerEmail };
    return data(await this.#http.POST('/api/v1/handoff', { body })).success;
  }

  readonly sources = {
    list: async (): Promise<Schemas['Source'][]> => data(await this.#http.GET('/api/v1/sources')).sources,
    add: async (url: string): Promise<Schemas['Source']> =>
      data(await this.#http.POST('/api/v1/sources', { body: { url } })).source,
    delete: async (id: string): Promise<boolean> =>
      data(await this.#http.DELETE('/api/v1/sources', { params: { query: { id } } })).deleted,
    rescrape: async (sourceId: string) => data(await this.#http.POST('/api/v1/sources/rescrape', { body: { sourceId } })),
  };

  readonly config = {
    get: async (): Promise<Schemas['WidgetConfig']> => data(await this.#http.GET('/api/v1/config')),
    update: async (fields: Schemas['WidgetPatch']) => data(await this.#http.PATCH('/api/v1/config', { body: fields })),
  };

  readonly analytics = {
    overview: async (range?: string) =>
      data(await this.#http.GET('/api/v1/analytics/overview', { params: { query: range === undefined ? {} : { range } } })),
    activity: async (range?: string) =>
      data(await this.#http.GET('/api/v1/analytics/activity', { params: { query: range === undefined ? {} : { range } } })),
  };

  readonly conversations = {
    list: async (query: ListQuery = {}) => data(await this.#http.GET('/api/v1/conversations', { params: { query } })),
  };

  readonly webhooks = {
    list: async (): Promise<Schemas['Webhook'][]> => data(await this.#http.GET('/api/v1/webhooks')).webhooks,
    create: async (webhook: Omit<Schemas['WebhookRequest'], 'apiKey'>): Promise<Schemas['Webhook']> =>
      data(await this.#http.POST('/api/v1/webhooks', { body: webhook })).webhook,
    delete: async (id: string): Promise<boolean> =>
      data(await this.#http.DELETE('/api/v1/webhooks', { params: { query: { id } } })).deleted,
  };
}

/** The answer, or the refusal as an error. */
function data<T>(result: { data?: T; error?: Schemas['Error']; response: Response }): T {
  if (result.data !== undefined) return result.data;
  const { error, response } = result;
  throw new HelpBotError(response.status, error?.code ?? 'UNKNOWN', error?.error ?? response.statusText);
}
