// Live queries with the clients of the community: @n1ru4l/graphql-live-query-patch-json-patch applies the patches
// that arrive through graphql-ws and graphql-sse. The connection is cut at random while the site changes, and the
// patched state must have the same bytes as a fresh query.
import { applyLiveQueryJSONPatch } from '@n1ru4l/graphql-live-query-patch-json-patch';
import { isLiveQueryOperationDefinitionNode } from '@n1ru4l/graphql-live-query';
import { buildSchema, parse, validate } from 'graphql';
import { createClient as createSocket } from 'graphql-ws';
import { createClient as createStream } from 'graphql-sse';
import { readFileSync } from 'node:fs';
import WebSocket from 'ws';
import { apiKey, ask, bearer, check, execute, httpUrl, socketUrl, soon, streamUrl } from './harness.mjs';

const RUNS = Number(process.env.LIVE_RUNS ?? 20);
const seed = Number(process.env.LIVE_SEED ?? Date.now() % 1_000_000_000);
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const pick = (list) => list[Math.floor(random() * list.length)];

const FIELDS = `{ site { name conversations(first: 10) { totalCount nodes {
  id question answer feedback handoff { status } messages(last: 2) { nodes { seq author text } }
} } } }`;
const LIVE = `query List @live ${FIELDS}`;
const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
check('graphql-js accepts the live query', validate(schema, parse(LIVE)).length === 0);
check('the library sees that it is live', isLiveQueryOperationDefinitionNode(parse(LIVE).definitions[0]));

/** The text of `data` in the response to a fresh query, written again as JavaScript writes it. */
async function fresh() {
  return JSON.stringify(await execute(FIELDS));
}

const payload = { query: LIVE, extensions: { livePatches: true } };
/** A connection with patched results, and a way to cut it. */
const transports = {
  'graphql-ws': () => {
    let socket;
    const client = createSocket({
      url: socketUrl, webSocketImpl: WebSocket, connectionParams: { authorization: `Bearer ${apiKey}` },
      retryAttempts: 0, on: { opened: (opened) => { socket = opened; } },
    });
    return { results: applyLiveQueryJSONPatch(client.iterate(payload)), cut: () => socket?.terminate(), end: () => client.dispose() };
  },
  'graphql-sse': () => {
    const client = createStream({ url: streamUrl, headers: bearer, retryAttempts: 0 });
    return { results: applyLiveQueryJSONPatch(client.iterate(payload)), cut: () => client.dispose(), end: () => client.dispose() };
  },
  'graphql-sse at /graphql': () => {
    const client = createStream({ url: httpUrl, headers: bearer, retryAttempts: 0 });
    return { results: applyLiveQueryJSONPatch(client.iterate(payload)), cut: () => client.dispose(), end: () => client.dispose() };
  },
};

const conversations = [];
const VOTE = 'mutation ($id: ID!) { submitFeedback(input: { conversationId: $id, feedback: HELPFUL }) { userErrors { code } } }';
const HANDOFF = 'mutation ($id: ID!) { requestHandoff(input: { conversationId: $id }) { userErrors { code } } }';
const RESOLVE = 'mutation ($id: ID!) { resolveConversation(input: { conversationId: $id }) { userErrors { code } } }';
async function change() {
  if (conversations.length === 0 || random() < 0.3) return conversations.push(await ask(`Question ${conversations.length}?`));
  return execute(pick([VOTE, HANDOFF, RESOLVE]), { id: pick(conversations) });
}

/** Follows the query until `wanted(data)`; gives the data. */
async function follow(open, wanted) {
  const connection = open();
  try {
    for await (const { data } of connection.results) if (await wanted(data)) return data;
  } finally {
    await connection.end();
  }
  throw new Error('the live query ended');
}

console.log(`${RUNS} runs, seed ${seed}`);
for (const [name, open] of Object.entries(transports)) {
  let [cuts, patched] = [0, 0];
  for (let run = 0; run < RUNS; run += 1) {
    const connection = open();
    const cutAt = random() < 0.4 ? 1 + Math.floor(random() * 2) : 0;
    let [seen, isCut] = [0, false];
    // They begin after the first result, and the first one always changes the list, so a second result must come.
    let changes;
    const makeChanges = async () => {
      conversations.push(await ask(`Question ${conversations.length}?`));
      for (let n = 0; n < 3; n += 1) await change();
    };
    try {
      for await (const { data, errors } of connection.results) {
        if (errors) throw new Error(JSON.stringify(errors));
        seen += 1;
        changes ??= makeChanges();
        if (seen === cutAt) {
          [cuts, isCut] = [cuts + 1, true];
          connection.cut();
          break;
        }
        if (seen > 1) patched += 1;
        if (seen > 1 && cutAt === 0) break;
      }
    } catch (closed) {
      if (!isCut) throw closed;
    }
    await connection.end();
    await changes;
    const newest = await fresh();
    const data = await soon(follow(open, async (known) => JSON.stringify(known) === newest), 'the newest result');
    if (JSON.stringify(data) !== newest) check('the patched state equals a fresh query', false);
  }
  check(`${name}: after ${RUNS} runs with ${cuts} cuts and ${patched} patches, the state has the bytes of a fresh query`, patched > 0);
}

// A client that knows nothing of patches gets whole results.
const client = createSocket({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: { authorization: `Bearer ${apiKey}` } });
const results = client.iterate({ query: LIVE });
const first = await soon(results.next(), 'the first result');
await ask('Is this sent whole?');
const second = await soon(results.next(), 'the second result');
check('whole results are marked as live', first.value.isLive === true && second.value.isLive === true && !('patch' in second.value));
check('a change is in the second result', second.value.data.site.conversations.totalCount === first.value.data.site.conversations.totalCount + 1);
await client.dispose();
