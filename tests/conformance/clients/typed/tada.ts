// gql.tada: the types of a document are computed by the TypeScript compiler from the text and the schema.
import { type ResultOf, type TadaDocumentNode, initGraphQLTada } from 'gql.tada';
import { print } from 'graphql';
import { type Adapter, type Connection } from './connection.js';
import type { introspection } from './introspection.js';

const graphql = initGraphQLTada<{ introspection: introspection; scalars: { DateTime: string; Date: string } }>();

const Row = graphql(`fragment TadaRow on Conversation @_unmask { id question feedback createdAt handoff { status } }`);
const Page = graphql(`
  query TadaPage($search: String, $first: Int, $after: String) {
    site {
      conversations(filter: { search: $search }, first: $first, after: $after) {
        nodes { ...TadaRow }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`, [Row]);
const Ask = graphql(`
  mutation TadaAsk($input: AskQuestionInput!) {
    askQuestion(input: $input) { conversation { id } userErrors { field message code } }
  }
`);
const Vote = graphql(`
  mutation TadaVote($input: SubmitFeedbackInput!) {
    submitFeedback(input: $input) { conversation { id feedback } userErrors { field message code } }
  }
`);
const Cursor = graphql(`query TadaCursor { site { eventCursor } }`);
const Events = graphql(`
  subscription TadaEvents($after: String) {
    conversationEvents(after: $after) { cursor type conversationId }
  }
`);
const Answers = graphql(`
  subscription TadaAnswer($input: AskQuestionInput!) {
    answer(input: $input) { ... on AnswerDelta { __typename text } ... on AnswerFinished { __typename payload { sessionToken } } }
  }
`);

/** The members of the union are told apart by their names. */
export function textOf({ answer }: ResultOf<typeof Answers>): string | null {
  return answer.__typename === 'AnswerDelta' ? answer.text : null;
}

/** A wrong value does not compile. */
export function wrong(connection: Connection): void {
  // @ts-expect-error A vote is a value of an enum.
  void run(connection, Vote, { input: { conversationId: '', feedback: 'GOOD' } });
  // @ts-expect-error The field does not exist.
  void run(connection, Cursor, {}).then(({ site }) => site?.nothing);
}

function run<Result, Variables extends object>(connection: Connection, document: TadaDocumentNode<Result, Variables>, variables: Variables): Promise<Result> {
  return connection.run<Result>({ query: print(document) }, variables);
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
      return { ids: list.nodes.map(({ id }) => id), ...list.pageInfo };
    },
    async vote(id) {
      const { submitFeedback } = await run(connection, Vote, { input: { conversationId: id, feedback: 'HELPFUL' } });
      const feedback: 'HELPFUL' | 'UNHELPFUL' | null = submitFeedback.conversation?.feedback ?? null;
      return feedback;
    },
    cursor: async () => (await run(connection, Cursor, {})).site?.eventCursor ?? null,
    follow: (after, onEvent) => connection.follow<ResultOf<typeof Events>>(
      print(Events), after, ({ conversationEvents }) => conversationEvents.cursor, ({ conversationEvents }) => onEvent(conversationEvents),
    ),
  };
}
