// What an operation returns, in the cases in which servers differ from the specification (section 6): fields that are selected
// twice, fragments at the root of a subscription, objects of which nothing is selected, variables without a value, failed
// fields that cannot be null, and the order of fields.
import { ask, bearer, check, execute, httpUrl, streamUrl } from './harness.mjs';

const json = JSON.stringify;
const post = (body, headers = {}) =>
  fetch(httpUrl, { method: 'POST', headers: { ...bearer, 'content-type': 'application/json', ...headers }, body: typeof body === 'string' ? body : json(body) });
/** The whole response. */
const respond = async (query, variables, more = {}) => (await post({ query, variables, ...more })).json();
/** Checks the text of `data`, with the order of its fields. */
async function gives(what, expected, query, variables) {
  const { data, errors } = await respond(query, variables);
  check(what, json(data) === json(expected), `${json(data)} ${json(errors)}`);
}
/** The results of a subscription while a question is asked. */
async function follow(query, variables = {}) {
  const end = new AbortController();
  const results = [];
  const response = await fetch(streamUrl, {
    method: 'POST', signal: end.signal, headers: { ...bearer, 'content-type': 'application/json', accept: 'text/event-stream' }, body: json({ query, variables }),
  });
  const read = async () => {
    let text = '';
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
      text += part;
      const events = text.split('\n\n');
      text = events.pop();
      for (const event of events) if (event.startsWith('event: next')) results.push(JSON.parse(event.slice(event.indexOf('data: ') + 6)));
    }
  };
  const reading = read().catch(() => {});
  await ask('Does the stream hear this?');
  await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 1500))]);
  end.abort();
  return results;
}
const questions = async () => (await execute('{ site { conversations { totalCount } } }')).site.conversations.totalCount;

const conversation = await ask('What is this?');
const { site } = await execute('{ site { id name } }');

await gives('a fragment on another type leaves an object', { node: {} }, `{ node(id: "${conversation}") { ... on Site { name } } }`);
await gives('the same in a list', { nodes: [{}, { name: site.name }] }, `{ nodes(ids: ["${conversation}", "${site.id}"]) { ...F } } fragment F on Site { name }`);
await gives('the same beside another selection', { node: { id: conversation } }, `{ node(id: "${conversation}") { ... on Site { name } } node(id: "${conversation}") { id } }`);
await gives('a reserved alias is kept', { site: { __selected: site.name } }, '{ site { __selected: name name @skip(if: true) } }');
await gives('fields have the order of the document', { b: { name: site.name, id: site.id }, a: { id: site.id } }, '{ b: site { name ...F } a: site { id } } fragment F on Site { id name }');
await gives('the same with fragments on types', { node: { name: site.name, id: site.id } }, `{ node(id: "${site.id}") { ... on Site { name } id } }`);

const asked = (fields) => `askQuestion(input: { question: "What is this?" }) { ${fields} }`;
for (const [what, query, expected] of [
  ['a mutation that is selected twice is executed once', `mutation { ${asked('conversation { id }')} ${asked('conversation { question }')} }`, 1],
  ['the same in fragments', `mutation { ...A ...B } fragment A on Mutation { ${asked('conversation { id }')} } fragment B on Mutation { ${asked('conversation { question }')} }`, 1],
  ['two aliases are executed twice', `mutation { a: ${asked('conversation { id }')} b: ${asked('conversation { id }')} }`, 2],
  ['a skipped mutation is not executed', 'mutation { askQuestion(input: { question: "What is this?" }) @skip(if: true) { conversation { id } } }', 0],
]) {
  const before = await questions();
  const { data } = await respond(query);
  check(what, (await questions()) - before === expected, json(data));
}

const { addFaqEntry } = await execute('mutation { addFaqEntry(input: { question: "Where is the shop?", answer: "In Oslo.", url: "https://shop.example/a" }) { entry { id } } }');
const change = 'mutation ($id: ID!, $url: String, $question: String) { updateFaqEntry(input: { id: $id, url: $url, question: $question }) { entry { url } } }';
await gives('a variable without a value leaves a field unchanged', { updateFaqEntry: { entry: { url: 'https://shop.example/a' } } }, change, { id: addFaqEntry.entry.id, question: 'Where is it?' });
await gives('null clears it', { updateFaqEntry: { entry: { url: null } } }, change, { id: addFaqEntry.entry.id, url: null });
await gives('the default applies to a variable without a value', { addFaqEntry: { entry: { phrasings: [] } } }, 'mutation ($p: [String!]) { addFaqEntry(input: { question: "How far is it?", answer: "Two miles.", phrasings: $p }) { entry { phrasings } } }');

const many = Array.from({ length: 101 }, (_, index) => `x${index}`);
const failed = await respond('query ($ids: [ID!]!) { viewer { kind } nodes(ids: $ids) { id } }', { ids: many });
check('a failed field that cannot be null makes its parent null', failed.data === null && failed.errors.length === 1, json(failed));
const wrong = await respond('query ($n: Int,\n$id: ID!) { site { conversations(first: $n) { totalCount } } node(id: $id) { id } }', { n: 'x' });
check('each wrong variable has its place', json(wrong.errors.map((error) => error.locations[0].line)) === '[1,2]', json(wrong));
check('null decides no condition', (await respond('query ($a: Boolean = true) { site { id @include(if: $a) } }', { a: null })).errors?.length === 1);
check('a negative size of a page is refused', (await respond('{ site { conversations(first: -1) { totalCount } } }')).errors?.length === 1);
check('an empty name is no name of an operation', (await respond('{ site { id } }', {}, { operationName: '' })).data?.site.id === site.id);
check('a byte order mark is ignored', (await (await post(`\uFEFF${json({ query: '{ site { id } }' })}`)).json()).data?.site.id === site.id);
check('a compressed body is 415', (await post('{}', { 'content-encoding': 'gzip' })).status === 415);

for (const [what, query] of [
  ['a subscription in a fragment', 'subscription { ...E } fragment E on Subscription { conversationEvents { type } }'],
  ['a subscription in an inline fragment', 'subscription { ... on Subscription { ... { conversationEvents { type } } } }'],
  ['a field that is selected twice', 'subscription { conversationEvents { type } conversationEvents { __typename } }'],
]) {
  const results = await follow(query);
  const events = results.map((result) => result.data?.conversationEvents?.type);
  check(`${what} delivers each event once`, events.filter((type) => type === 'CONVERSATION_CREATED').length === 1, json(results));
}
const empty = await follow('subscription ($a: Boolean!) { conversationEvents { conversation { id @include(if: $a) } } }', { a: false });
check('an event keeps an object of which nothing is selected', json(empty[0]) === '{"data":{"conversationEvents":{"conversation":{}}}}', json(empty));
for (const query of ['subscription { conversationEvents @include(if: true) { type } }', 'subscription { ...E @skip(if: false) } fragment E on Subscription { conversationEvents { type } }']) {
  const refused = await follow(query);
  check('a condition at the root of a subscription is refused', refused[0]?.errors?.[0].extensions.code === 'GRAPHQL_VALIDATION_FAILED', json(refused));
}
