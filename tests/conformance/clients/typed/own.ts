// HelpBot's own client, from web/client: its documents are typed, and it resumes by itself.
import { ApiError, createClient } from 'helpbot-client';
import { Ask, Conversations, EventCursor, Events, Vote, Waiting } from 'helpbot-client/operations';
import type { Conversation, Feedback } from 'helpbot-client/schema';
import { type Adapter } from './connection.js';

/** A program picks the fields that it uses from the types of the schema. */
export type Row = Pick<Conversation, 'id' | 'question'>;

export function adapter(url: string, key: string): Adapter & { waiting(onCount: (count: number) => void): () => void } {
  const client = createClient({ url, key });
  return {
    async ask(question) {
      const { askQuestion } = await client.run(Ask, { input: { question } }, { attempts: 3 });
      if (!askQuestion.conversation) throw new ApiError('BAD_USER_INPUT', askQuestion.userErrors[0]?.message ?? '', 200);
      return askQuestion.conversation.id;
    },
    async page(search, first, after) {
      const { site } = await client.run(Conversations, { filter: { search }, first, after });
      const list = site?.conversations;
      if (!list) throw new Error('The site cannot be read.');
      const rows: Row[] = list.nodes;
      return { ids: rows.map(({ id }) => id), ...list.pageInfo };
    },
    async vote(conversationId) {
      // @ts-expect-error A vote is a value of an enum.
      void (() => client.run(Vote, { input: { conversationId, feedback: 'GOOD' } }));
      const { submitFeedback } = await client.run(Vote, { input: { conversationId, feedback: 'HELPFUL' } });
      const feedback: Feedback | null = submitFeedback.conversation?.feedback ?? null;
      return feedback;
    },
    async cursor() {
      // A plain text with its types.
      const { viewer } = await client.run<{ viewer: { site: { eventCursor: string | null } | null } }, object>('{ viewer { site { eventCursor } } }', {});
      const known = (await client.run(EventCursor, {})).site?.eventCursor ?? null;
      if (viewer.site?.eventCursor === undefined) throw new Error('The site cannot be read.');
      return known;
    },
    follow(after, onEvent) {
      const abort = new AbortController();
      void (async () => {
        for await (const event of client.events(Events, {}, { after, signal: abort.signal })) onEvent(event);
      })();
      return () => abort.abort();
    },
    waiting(onCount) {
      return client.live(Waiting, {}, ({ site }) => onCount(site?.conversations?.totalCount ?? 0)).stop;
    },
  };
}
