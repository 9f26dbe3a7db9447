// urql and its normalized cache with the wiring of docs/graphql.md: the cache knows the schema, shows mutations at once,
// joins pages, and subscriptions over graphql-ws resume.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { gql } from '@urql/core';
import { minifyIntrospectionQuery } from '@urql/introspection';
import { buildSchema, introspectionFromSchema } from 'graphql';
import { apiKey, ask as askPlain, check, httpUrl } from '../harness.mjs';
import { scenario, until } from './scenario.mjs';
import { wiring } from './wiring.mjs';

const requests = [];
const platformFetch = globalThis.fetch;
/** Requests wait for this, so that a test can look at what is shown before the server answers. */
let gate = Promise.resolve();
globalThis.fetch = async (url, init) => {
  requests.push(JSON.parse(init.body));
  await gate;
  return platformFetch(url, init);
};
const warnings = [];
console.warn = (...args) => warnings.push(args.join(' '));
console.error = (...args) => warnings.push(args.join(' '));

const schema = minifyIntrospectionQuery(introspectionFromSchema(buildSchema(readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8'))));
const { createHelpBot } = await wiring('urql.js');
const { client, close } = createHelpBot({ url: httpUrl, key: apiKey, schema });

const PAGE = gql`query Page($search: String, $first: Int, $after: String) {
  site { id conversations(filter: { search: $search }, first: $first, after: $after) {
    nodes { id question feedback handoff { status } }
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
const NODE = gql`query Node($id: ID!) { node(id: $id) { ... on Conversation { id question feedback } } }`;
const EVENTS = gql`subscription Events($after: String) {
  conversationEvents(after: $after) { id cursor type conversationId conversation { id question feedback handoff { requestedAt } } }
}`;
const fresh = { requestPolicy: 'network-only' };

async function data(result) {
  const { data, error } = await result;
  if (error) throw error;
  return data;
}

let shown;
const { tag, ids } = await scenario('urql', {
  ask: async (question) => (await data(client.mutation(ASK, { input: { question } }))).askQuestion.conversation.id,
  async page(search, first, after) {
    // The cache returns all pages that were read so far, and the page that was asked for as the last one.
    const { site } = await data(client.query(PAGE, { search, first, after }, fresh));
    const known = shown?.length ?? 0;
    shown = site.conversations.nodes;
    return { ids: shown.slice(known).map(({ id }) => id), ...site.conversations.pageInfo };
  },
  async vote(id) {
    const votes = [];
    const { unsubscribe } = client.query(PAGE, { search: tagOf(), first: 2, after: null }, { requestPolicy: 'cache-only' })
      .subscribe(({ data }) => votes.push(data?.site.conversations.nodes.find((node) => node.id === id)?.feedback));
    await until(() => votes.length > 0, 'the list from the cache');
    let answer;
    gate = new Promise((resolve) => { answer = resolve; });
    const done = data(client.mutation(VOTE, { input: { conversationId: id, feedback: 'HELPFUL' } }).toPromise());
    await until(() => votes.at(-1) === 'HELPFUL', 'the vote before the answer of the server');
    answer();
    await done;
    unsubscribe();
    return votes.at(-1);
  },
  cursor: async () => (await data(client.query(CURSOR, {}, fresh))).site.eventCursor,
  follow(after, onEvent) {
    const { unsubscribe } = client.subscription(EVENTS, { after }).subscribe(({ data, error }) => {
      if (error) check('the subscription has no error', false, String(error));
      else onEvent(data.conversationEvents);
    });
    return unsubscribe;
  },
});
/** The word of the questions, which the first question contains. */
function tagOf() {
  return shown[0].question.match(/What is (\w+),/)[1];
}
check('the cache joins the pages to one list', shown.length === 5 && new Set(shown.map(({ id }) => id)).size === 5, String(shown.length));

await data(client.query(CURSOR, {}, fresh));
const sent = requests.filter(({ operationName }) => operationName?.startsWith('Cursor')).map(({ query }) => (query ? 'text' : 'hash'));
check('a query is sent by its hash, and with its text only when the server does not know it', sent.join() === 'hash,text,hash', sent.join());

const { node } = await data(client.query(NODE, { id: ids[0] }));
check('node(id:) reads the same object as the list', node.feedback === 'HELPFUL' && node.question.includes(tag), JSON.stringify(node));

const LIVE = gql`query Count($search: String) @live { site { id conversations(filter: { search: $search }, first: 1) { totalCount } } }`;
const counts = [];
const live = client.query(LIVE, { search: tag }, fresh).subscribe(({ data }) => data && counts.push(data.site.conversations.totalCount));
await until(() => counts.length > 0, 'the first result of the live query');
await askPlain(`What is ${tag}, finally?`);
await until(() => counts.at(-1) === 12, 'the changed result of the live query');
check('a live query is counted again when the list changes', counts[0] === 11, counts.join());
live.unsubscribe();
check('the client warns of nothing', warnings.length === 0, warnings.join('\n'));
await close();
process.exit();
