// The standard client, cut again and again while questions are asked: with its last cursor it gets
// exactly what it missed.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { EVENTS, apiKey, ask, check, checkSequence, socketUrl, soon } from './harness.mjs';

const QUESTIONS = Number(process.env.QUESTIONS ?? 40);

/** A client, and a way to cut its connection as a broken network does. */
function connect() {
  let socket;
  const client = createClient({
    url: socketUrl,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${apiKey}` },
    retryAttempts: 0,
    on: { opened: (opened) => { socket = opened; } },
  });
  return { client, cut: () => socket.terminate() };
}

/** Events after `after`, in one piece, until `enough(events)`. */
async function read(after, enough) {
  const { client } = connect();
  const events = [];
  for await (const result of client.iterate({ query: EVENTS, variables: { after } })) {
    if (result.errors) throw new Error(JSON.stringify(result.errors));
    events.push(result.data.conversationEvents);
    if (enough(events)) break;
  }
  await client.dispose();
  return events;
}

/** The current position of the event log: the cursor of an event that is created for it. */
async function beginning() {
  const first = read(undefined, (events) => events.length === 1);
  let asking = true;
  const answered = first.finally(() => { asking = false; });
  // The subscription is live at some moment that nobody tells: ask until it hears.
  while (asking) await ask('Where does the log begin?');
  const [event] = await answered;
  return event.cursor;
}

const begin = await soon(beginning(), 'the first event');
const seen = [];
const asked = [];
let cuts = 0;
let isAsking = true;
let present = () => {};
const driver = (async () => {
  for (let n = 0; n < QUESTIONS; n += 1) asked.push(await ask(`Question ${n}?`));
  isAsking = false;
  // The last event may have come before its answer: then no further one wakes who watches.
  if (isComplete()) present();
})();

const isComplete = () => !isAsking && asked.every((id) => seen.some((event) => event.conversationId === id));
async function watch() {
  while (!isComplete()) {
    const { client, cut } = connect();
    present = () => client.dispose();
    const lifetime = 1 + Math.floor(Math.random() * 5);
    let heard = 0;
    try {
      const after = seen.at(-1)?.cursor ?? begin;
      for await (const result of client.iterate({ query: EVENTS, variables: { after } })) {
        if (result.errors) throw new Error(JSON.stringify(result.errors));
        seen.push(result.data.conversationEvents);
        heard += 1;
        if (heard === lifetime && isAsking) { cuts += 1; cut(); }
        if (isComplete()) break;
      }
    } catch (closed) {
      // 1006: what the client reports of a connection that is simply gone.
      if (closed?.code !== 1006) throw closed;
    }
    await client.dispose();
  }
}

await soon(Promise.all([driver, watch()]), 'the last event', 120);
const log = await soon(read(begin, (events) => events.length >= seen.length), 'the replay');
check(`the connection was cut ${cuts} times`, cuts > 2);
checkSequence(seen, log, asked);
