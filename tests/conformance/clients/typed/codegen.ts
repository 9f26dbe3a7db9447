// The client preset of graphql-codegen: `graphql` gives each document its types. The requests contain only the ID of a
// document, which the site has registered before.
import { type Adapter, type Connection } from './connection.js';
import { graphql } from './gql/index.js';
import type { ConversationEventType, TypedDocumentString } from './gql/graphql.js';

const Page = graphql(`
  query CodegenPage($search: String, $first: Int, $after: String) {
    site {
      conversations(filter: { search: $search }, first: $first, after: $after) {
        nodes { id question feedback createdAt }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`);
const Ask = graphql(`
  mutation CodegenAsk($input: AskQuestionInput!) {
    askQuestion(input: $input) { conversation { id } userErrors { field message code } }
  }
`);
const Vote = graphql(`
  mutation CodegenVote($input: SubmitFeedbackInput!) {
    submitFeedback(input: $input) { conversation { id feedback } userErrors { field message code } }
  }
`);
const Cursor = graphql(`
  query CodegenCursor { site { eventCursor } }
`);
const Events = graphql(`
  subscription CodegenEvents($after: String) {
    conversationEvents(after: $after) { cursor type conversationId }
  }
`);

/** Runs a document by its ID. */
function run<Result, Variables extends object>(connection: Connection, document: TypedDocumentString<Result, Variables>, variables: Variables): Promise<Result> {
  const documentId = document.__meta__?.['hash'];
  if (typeof documentId !== 'string') throw new Error('The document has no ID.');
  return connection.run<Result>({ documentId }, variables);
}

export function adapter(connection: Connection): Adapter {
  return {
    async ask(question) {
      const { askQuestion } = await run(connection, Ask, { input: { question } });
      if (!askQuestion.conversation) throw new Error(askQuestion.userErrors[0]?.message);
      return askQuestion.conversation.id;
    },
    async page(search, first, after) {
      const { site } = await run(connection, Page, { search, first, after });
      const list = site?.conversations;
      if (!list) throw new Error('The site cannot be read.');
      const times: string[] = list.nodes.map(({ createdAt }) => createdAt);
      if (times.some((time) => Number.isNaN(Date.parse(time)))) throw new Error('A time cannot be parsed.');
      return { ids: list.nodes.map(({ id }) => id), endCursor: list.pageInfo.endCursor ?? null, hasNextPage: list.pageInfo.hasNextPage };
    },
    async vote(id) {
      // @ts-expect-error A vote is a value of an enum.
      const wrong: Parameters<typeof run<unknown, { input: { conversationId: string; feedback: 'HELPFUL' | 'UNHELPFUL' } }>>[2] = { input: { conversationId: id, feedback: 'GOOD' } };
      void wrong;
      const { submitFeedback } = await run(connection, Vote, { input: { conversationId: id, feedback: 'HELPFUL' } });
      return submitFeedback.conversation?.feedback ?? null;
    },
    cursor: async () => (await run(connection, Cursor, {})).site?.eventCursor ?? null,
    follow: (after, onEvent) => connection.follow<NonNullable<ReturnType<NonNullable<(typeof Events)['__apiType']>>>>(
      Events.toString(), after,
      ({ conversationEvents }) => conversationEvents.cursor,
      ({ conversationEvents }) => {
        const type: ConversationEventType = conversationEvents.type;
        onEvent({ ...conversationEvents, type });
      },
    ),
  };
}
