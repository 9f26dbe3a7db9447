// graphql-transport-ws in raw frames: what a client says, and the close code or message that must follow.
import WebSocket from 'ws';
import { apiKey, bearer, check, socketUrl, soon } from './harness.mjs';

const init = { type: 'connection_init', payload: { apiKey } };
const subscribe = (id, query) => ({ id, type: 'subscribe', payload: { query } });
const live = 'subscription { conversationEvents { id } }';

/** Opens a socket, says `messages`, and collects what comes until `enough` messages or the close. */
async function talk(messages, { protocol = 'graphql-transport-ws', headers = {}, enough = Infinity } = {}) {
  const socket = new WebSocket(socketUrl, protocol ?? undefined, { headers });
  const heard = [];
  const end = new Promise((resolve, reject) => {
    socket.on('open', () => {
      for (const message of messages) {
        socket.send(typeof message === 'object' && !Buffer.isBuffer(message) ? JSON.stringify(message) : message);
      }
    });
    socket.on('message', (data) => {
      heard.push(JSON.parse(data.toString()));
      if (heard.length >= enough) resolve(null);
    });
    socket.on('close', resolve);
    socket.on('error', reject);
  });
  const code = await soon(end, `the end of ${JSON.stringify(messages)}`);
  socket.terminate();
  return { code, heard };
}

for (const [what, messages, code, options] of [
  ['no connection_init in time', [], 4408],
  ['a second connection_init', [init, init], 4429],
  ['subscribe before connection_ack', [subscribe('1', live)], 4401],
  ['text that is not JSON', ['{'], 4400],
  ['an unknown type', [init, { type: 'start', id: '1' }], 4400],
  ['a binary message', [Buffer.from([1, 2, 3])], 4400],
  ['subscribe without a query', [init, { id: '1', type: 'subscribe', payload: {} }], 4400],
  ['two live operations of one id', [init, subscribe('1', live), subscribe('1', live)], 4409],
  ['connection_init without a key', [{ type: 'connection_init' }], 4403],
  ['connection_init with a wrong key', [{ type: 'connection_init', payload: { apiKey: 'sk_live_wrong123' } }], 4403],
  ['no subprotocol', [init], 4406, { protocol: null }],
]) {
  const talked = await talk(messages, options);
  check(`${what} is ${code}`, talked.code === code, JSON.stringify(talked));
}

const pong = await talk([{ type: 'ping', payload: { at: 7 } }], { enough: 1 });
check(
  'ping is answered with its payload',
  pong.heard[0]?.type === 'pong' && pong.heard[0].payload?.at === 7,
  JSON.stringify(pong),
);

const invalid = await talk([init, subscribe('1', '{ nothing }'), { type: 'ping' }], { enough: 3 });
// The refusal and the pong are made side by side: either may come first.
const types = invalid.heard.map((message) => message.type).sort().join(' ');
check('an invalid document is an error and no complete', types === 'connection_ack error pong', JSON.stringify(invalid));
check('the error is a list', Array.isArray(invalid.heard.find((message) => message.type === 'error')?.payload), JSON.stringify(invalid));

const query = await talk([{ type: 'connection_init' }, subscribe('1', '{ __typename }')], { headers: bearer, enough: 3 });
check(
  'a query is next and complete, with the key of the upgrade',
  query.heard.map((message) => message.type).join(' ') === 'connection_ack next complete',
  JSON.stringify(query),
);
