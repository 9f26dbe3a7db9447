// The standard SSE client, and the wire itself: events bear their cursor as id, and Last-Event-ID
// resumes after it.
import { createClient } from 'graphql-sse';
import { EVENTS, ask, bearer, check, checkSequence, soon, streamUrl } from './harness.mjs';

const client = createClient({ url: streamUrl, headers: bearer, retryAttempts: 0 });

const query = client.iterate({ query: '{ __typename }' });
const first = await soon(query.next(), 'the answer to a query');
check('a query gives its result', first.value?.data?.__typename === 'Query', JSON.stringify(first));
check('and then completes', (await soon(query.next(), 'complete')).done === true);

const refused = await soon(client.iterate({ query: '{ nothing }' }).next(), 'the refusal');
check('an invalid document is reported inside the stream', refused.value?.errors?.length > 0, JSON.stringify(refused));

const anonymous = await fetch(`${streamUrl}?query=%7B__typename%7D`, { headers: { accept: 'text/event-stream' } });
check('nobody is let in without a key', anonymous.status === 401, String(anonymous.status));

/** Events of a raw stream, with their ids. */
async function* raw(lastEventId, signal) {
  const headers = { ...bearer, accept: 'text/event-stream', 'content-type': 'application/json' };
  if (lastEventId) headers['last-event-id'] = lastEventId;
  const response = await fetch(streamUrl, { method: 'POST', headers, body: JSON.stringify({ query: EVENTS }), signal });
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body) {
    text += decoder.decode(bytes, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text.slice(0, end).split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      );
      text = text.slice(end + 2);
      if (fields.event === 'next') yield { id: fields.id, ...JSON.parse(fields.data).data.conversationEvents, eventId: fields.id };
    }
  }
}

async function take(stream, enough, abort) {
  const events = [];
  for await (const event of stream) {
    events.push(event);
    if (enough(events)) break;
  }
  abort.abort();
  return events;
}

const abort = new AbortController();
const live = take(raw(undefined, abort.signal), () => true, abort);
let isAsking = true;
live.finally(() => { isAsking = false; });
while (isAsking) await ask('Where does the log begin?');
const [begin] = await soon(live, 'the first live event');
check('an event bears its cursor as id', begin.eventId === begin.cursor && begin.cursor.length > 0, JSON.stringify(begin));

const asked = [];
for (let n = 0; n < 5; n += 1) asked.push(await ask(`Question ${n}?`));
const last = asked.at(-1);
const isLast = (events) => events.at(-1).conversationId === last;
const aborts = [new AbortController(), new AbortController(), new AbortController()];
const half = await soon(take(raw(begin.cursor, aborts[0].signal), (events) => events.length === 3, aborts[0]), 'three events');
const rest = await soon(take(raw(half.at(-1).cursor, aborts[1].signal), isLast, aborts[1]), 'the rest');
const log = await soon(take(raw(begin.cursor, aborts[2].signal), isLast, aborts[2]), 'the log');
checkSequence([...half, ...rest], log, asked);

client.dispose();
