// Apollo Client with the wiring of docs/graphql.md: persisted queries, a normalized cache with pages, mutations that are
// shown at once, subscriptions over graphql-ws that resume, and live queries.
import process from 'node:process';
import { gql } from '@apollo/client';
import { apiKey, ask as askPlain, check, httpUrl, soon } from '../harness.mjs';
import { scenario, until } from './scenario.mjs';
import { wiring } from './wiring.mjs';

const requests = [];
const platformFetch = globalThis.fetch;
globalThis.fetch = (url, init) => {
  requests.push({ ...JSON.parse(init.body), headers: init.headers });
  return platformFetch(url, init);
};
const warnings = [];
console.warn = (...args) => warnings.push(args.join(' '));
console.error = (...args) => warnings.push(args.join(' '));

const { createHelpBot } = await wiring('apollo.js');
const { client, close } = createHelpBot({ url: httpUrl, key: apiKey });
const PAGE = gql`query Page($search: String, $first: Int, $after: String) {
  site { id conversations(filter: { search: $search }, first: $first, after: $after) {
    edges { cursor node { id question feedback handoff { status } } }
    pageInfo { hasNextPage endCursor }
  } }
}`;
const ASK = gql`mutation Ask($input: AskQuestionInput!) {
  askQuestion(input: $input) { conversation { id question answer } userErrors { field message code } }
}`;
const VOTE = gql`mutation Vote($input: SubmitFeedbackInput!) {
  submitFeedback(input: $input) { conversation { id feedback } userErrors { field message code } }
}`;
// No server has seen this name before.
const CURSOR = gql(`query Cursor${process.pid}x${Date.now()} { site { id eventCursor } }`);
const EVENTS = gql`subscription Events($after: String) {
  conversationEvents(after: $after) { cursor type conversationId conversation { id question feedback handoff { requestedAt } } }
}`;

let watched;
let shown;
const { tag, ids } = await scenario('apollo', {
  ask: async (question) => (await client.mutate({ mutation: ASK, variables: { input: { question } } })).data.askQuestion.conversation.id,
  async page(search, first, after) {
    const variables = { search, first, after };
    if (after === null) {
      watched = client.watchQuery({ query: PAGE, variables });
      watched.subscribe((result) => { shown = result.data; });
    }
    const { data } = await (after === null ? client.query({ query: PAGE, variables }) : watched.fetchMore({ variables: { after } }));
    const { edges, pageInfo } = data.site.conversations;
    return { ids: edges.map(({ node }) => node.id), ...pageInfo };
  },
  async vote(id) {
    const voteShown = () => shown.site.conversations.edges.find(({ node }) => node.id === id).node.feedback;
    const done = client.mutate({
      mutation: VOTE,
      variables: { input: { conversationId: id, feedback: 'HELPFUL' } },
      optimisticResponse: { submitFeedback: { __typename: 'SubmitFeedbackPayload', conversation: { __typename: 'Conversation', id, feedback: 'HELPFUL' }, userErrors: [] } },
    });
    check('the vote is shown before the server has answered', voteShown() === 'HELPFUL', String(voteShown()));
    await done;
    return voteShown();
  },
  cursor: async () => (await client.query({ query: CURSOR, fetchPolicy: 'network-only' })).data.site.eventCursor,
  follow(after, onEvent) {
    const subscription = client.subscribe({ query: EVENTS, variables: { after } }).subscribe({
      next: ({ data, error }) => (error ? check('the subscription has no error', false, String(error)) : onEvent(data.conversationEvents)),
      error: (error) => check('the subscription has no error', false, String(error)),
    });
    return () => subscription.unsubscribe();
  },
});
const edges = shown.site.conversations.edges;
check('the cache joins the pages to one list', edges.length === 5 && new Set(edges.map(({ node }) => node.id)).size === 5, String(edges.length));

await client.query({ query: CURSOR, fetchPolicy: 'network-only' });
const sent = requests.filter(({ operationName }) => operationName?.startsWith('Cursor')).map(({ query }) => (query ? 'text' : 'hash'));
check('a query is sent by its hash, and with its text only when the server does not know it', sent.join() === 'hash,text,hash', sent.join());
const keys = requests.filter(({ operationName, query }) => operationName === 'Ask' && !query).map(({ headers }) => headers['idempotency-key']);
check('each mutation has its own idempotency key', keys.length > 5 && new Set(keys).size === keys.length);

const LIVE = gql`query Count($search: String) @live { site { id conversations(filter: { search: $search }) { totalCount } } }`;
const counts = [];
const live = client.watchQuery({ query: LIVE, variables: { search: tag }, fetchPolicy: 'no-cache' }).subscribe(({ data }) => data?.site && counts.push(data.site.conversations.totalCount));
await until(() => counts.length > 0, 'the first result of the live query');
await askPlain(`What is ${tag}, finally?`);
await until(() => counts.at(-1) === 12, 'the changed result of the live query');
check('a live query is counted again when the list changes', counts[0] === 11, counts.join());
live.unsubscribe();

const SEND = gql`mutation Send($input: SendMessageInput!) { sendMessage(input: $input) { message { id } userErrors { field code } } }`;
const { data: { sendMessage } } = await client.mutate({ mutation: SEND, variables: { input: { conversationId: ids[0], text: '' } } });
check('errors of the input are data', sendMessage.userErrors[0].field.join('.') === 'input.text', JSON.stringify(sendMessage));
const refused = await soon(client.query({ query: gql`query Refused { nothing }` }).then(() => null, (error) => error), 'the refusal');
check('other errors are thrown with their code', refused?.errors?.[0]?.extensions?.code === 'GRAPHQL_VALIDATION_FAILED', String(refused));
check('the client warns of nothing', warnings.length === 0, warnings.join('\n'));
check('the vote of the first question is still shown', shown.site.conversations.edges.find(({ node }) => node.id === ids[0]).node.feedback === 'HELPFUL');
await close();
client.stop();
process.exit();
