// Relay: its compiler accepts the schema, and its runtime pages a connection through `node(id:)`, adds the node of a
// mutation to a connection, removes one, fetches a row again, and follows events through lost connections.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { createClient } from 'graphql-ws';
import relay from 'relay-runtime';
import { apiKey, bearer, check, httpUrl, socketUrl } from '../harness.mjs';
import { scenario, until } from './scenario.mjs';
import { wiring } from './wiring.mjs';

const { Environment, Network, Observable, RecordSource, Store, commitMutation, fetchQuery, getPaginationVariables, getRefetchMetadata, getPaginationMetadata, getSingularSelector, requestSubscription, createOperationDescriptor } = relay;
const { resume } = await wiring('urql.js');

const folder = fileURLToPath(new URL('./relay/', import.meta.url));
mkdirSync(`${folder}generated`, { recursive: true });
const compiler = fileURLToPath(new URL('../node_modules/relay-compiler/cli.js', import.meta.url));
const compiled = spawnSync(process.execPath, [compiler, '--noWatchman', 'relay.config.json'], { cwd: folder, encoding: 'utf8' });
check('the compiler of Relay accepts the schema and the documents', compiled.status === 0, compiled.stdout + compiled.stderr);
const require = createRequire(`${folder}package.json`);
const artifact = (name) => require(`./generated/documents${name}.graphql`);

const socket = createClient({ url: socketUrl, connectionParams: { authorization: bearer.authorization }, retryAttempts: Infinity, retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)) });
const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create(
    async ({ text, name }, variables) => {
      const headers = { ...bearer, 'content-type': 'application/json', accept: 'application/graphql-response+json' };
      const response = await fetch(httpUrl, { method: 'POST', headers, body: JSON.stringify({ query: text, operationName: name, variables }) });
      return response.json();
    },
    ({ text, name }, variables) => Observable.create((sink) => resume(socket, { query: text, operationName: name, variables }, sink)),
  ),
});
const query = (name, variables) => fetchQuery(environment, artifact(name), variables, { fetchPolicy: 'network-only' }).toPromise();
const mutate = (name, variables) => new Promise((resolve, reject) => {
  commitMutation(environment, {
    mutation: artifact(name), variables, onError: reject,
    onCompleted: (data, errors) => (errors ? reject(new Error(JSON.stringify(errors))) : resolve(data)),
  });
});

/** The data of a fragment, as a component sees it. */
const read = (fragment, ref) => environment.lookup(getSingularSelector(fragment, ref)).data;
const list = artifact('Inbox_site');
const row = artifact('Row_conversation');
let site;
let search;
const connections = () => (site ? [read(list, site).conversations.__id] : []);

const { tag, ids } = await scenario('relay', {
  ask: async (question) => (await mutate('AskMutation', { input: { question }, connections: connections() })).askQuestion.conversation.id,
  async page(word, first, after) {
    search = word;
    const known = site ? read(list, site).conversations.edges.length : 0;
    if (after === null) {
      const variables = { search, first };
      // Without this, the store would forget what nothing shows.
      environment.retain(createOperationDescriptor(artifact('InboxQuery'), variables));
      site = (await query('InboxQuery', variables)).site;
    } else {
      // What usePaginationFragment does.
      const { identifierInfo } = getRefetchMetadata(list, 'the list');
      const { paginationRequest, paginationMetadata } = getPaginationMetadata(list, 'the list');
      const variables = getPaginationVariables('forward', first, after, { search }, {}, paginationMetadata);
      await fetchQuery(environment, paginationRequest, { ...variables, [identifierInfo.identifierQueryVariableName]: site.id }).toPromise();
    }
    const { edges, pageInfo } = read(list, site).conversations;
    return { ids: edges.slice(known).map(({ node }) => node.id), ...pageInfo };
  },
  async vote(id) {
    const { node } = read(list, site).conversations.edges.find(({ node }) => node.id === id);
    const shown = environment.lookup(getSingularSelector(row, node));
    let vote = shown.data.feedback;
    const { dispose } = environment.subscribe(shown, ({ data }) => { vote = data.feedback; });
    await mutate('VoteMutation', { input: { conversationId: id, feedback: 'HELPFUL' } });
    dispose();
    return vote;
  },
  cursor: async () => (await query('CursorQuery', {})).site.eventCursor,
  follow(after, onEvent) {
    const { dispose } = requestSubscription(environment, {
      subscription: artifact('EventsSubscription'), variables: { after },
      onNext: ({ conversationEvents }) => onEvent(conversationEvents),
      onError: (error) => check('the subscription has no error', false, String(error)),
    });
    return dispose;
  },
});

const { edges } = read(list, site).conversations;
check('@prependNode adds each new conversation to the connection', edges.length === 11 && edges[0].node.question.includes('later 5'), `${edges.length}, ${edges[0].node.question}`);
check('@connection joins the pages behind them', edges.slice(6).map(({ node }) => node.id).join() === [...ids].reverse().join());
const again = await query('RowQuery', { id: ids[0] });
check('a row is fetched again through node(id:)', read(row, again.node).feedback === 'HELPFUL');

const { site: entries } = await query('EntriesQuery', { search: tag });
environment.retain(createOperationDescriptor(artifact('EntriesQuery'), { search: tag }));
const entryList = { connections: [entries.faqEntries.__id] };
const { addFaqEntry } = await mutate('AddEntryMutation', { input: { question: `Who is ${tag}?`, answer: 'Relay.' }, ...entryList });
const shownEntries = () => environment.lookup(createOperationDescriptor(artifact('EntriesQuery'), { search: tag }).fragment).data.site.faqEntries.edges.map(({ node }) => node.id);
check('@appendNode adds an entry', shownEntries().join() === addFaqEntry.entry.id, shownEntries().join());
const { deleteFaqEntry } = await mutate('DeleteEntryMutation', { input: { id: addFaqEntry.entry.id }, ...entryList });
await until(() => shownEntries().length === 0, 'the list without the entry');
check('@deleteEdge and @deleteRecord remove it', deleteFaqEntry.deletedId === addFaqEntry.entry.id);
await socket.dispose();
process.exit();
