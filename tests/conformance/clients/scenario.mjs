// What every client library must be able to do with the API: list, page, change, subscribe, and resume after the
// connection was cut. A script of this folder gives its library as an adapter and adds what is special about it.
import process from 'node:process';
import WebSocket from 'ws';
import { check, execute, soon } from '../harness.mjs';

/** The open WebSockets of this process, so that a test can cut them like a broken network. */
const open = new Set();

/** The WebSocket of the platform, which Node has from version 22 on. Each instance is remembered while it is open. */
export class Socket extends WebSocket {
  constructor(...args) {
    super(...args);
    this.on('open', () => open.add(this));
    this.on('close', () => open.delete(this));
  }
}
globalThis.WebSocket = Socket;

/** Cuts all connections of this process. Returns their number. */
export function cut() {
  const sockets = [...open];
  for (const socket of sockets) socket.terminate();
  return sockets.length;
}

/** Waits until `holds()` is true. */
export const until = (holds, what) => soon((async () => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
})(), what);

const ALL = `query All($search: String) { site { conversations(first: 100, filter: { search: $search }) { nodes { id } } } }`;

/**
 * Runs the scenario. The adapter has:
 * - `ask(question)`: asks a question and returns the ID of its conversation.
 * - `page(search, first, after)`: returns `{ ids, endCursor, hasNextPage }` of the conversations that match.
 * - `vote(id)`: votes that an answer was helpful, and returns the vote that the library then shows.
 * - `cursor()`: returns the end of the event log.
 * - `follow(after, onEvent)`: calls `onEvent({ cursor, type, conversationId })` for each event after the cursor, through
 *   lost connections, and returns a function that stops it.
 * - `cut()`, optional: cuts the connection. By default, all WebSockets of this process are cut.
 *
 * Returns the word that all questions contain, and the IDs of the conversations, oldest first.
 */
export async function scenario(name, client) {
  const tag = `${name}${process.pid}x${Date.now() % 1_000_000}`;
  const ids = [];
  for (let n = 0; n < 5; n += 1) ids.push(await client.ask(`What is ${tag}, number ${n}?`));

  const listed = [];
  let pages = 0;
  for (let after = null, more = true; more; pages += 1) {
    const page = await client.page(tag, 2, after);
    listed.push(...page.ids);
    [after, more] = [page.endCursor, page.hasNextPage];
  }
  const all = (await execute(ALL, { search: tag })).site.conversations.nodes.map(({ id }) => id);
  check(`${name} reads a list page by page`, pages === 3 && listed.join() === all.join() && all.length === 5, `${pages} pages, ${listed}`);
  check(`${name} shows a vote`, (await client.vote(ids[0])) === 'HELPFUL');

  const after = await client.cursor();
  const seen = [];
  const stop = client.follow(after, (event) => seen.push(event));
  const created = () => seen.filter(({ type }) => type === 'CONVERSATION_CREATED').map(({ conversationId }) => conversationId);
  const later = [];
  const ask = async (n) => later.push(await client.ask(`What is ${tag}, later ${n}?`));
  await ask(0);
  await until(() => created().includes(later[0]), `the first event for ${name}`);
  let cuts = 0;
  for (let n = 1; n < 6; n += 1) {
    cuts += await (client.cut ?? cut)();
    await ask(n);
    // Some cuts happen while the client reconnects, and some when it is live again.
    if (n % 2 === 0) await until(() => created().includes(later[n]), `event ${n} for ${name}`);
  }
  await until(() => later.every((id) => created().includes(id)), `the last event for ${name}`);
  await stop();
  const own = created().filter((id) => later.includes(id));
  check(`${name} was cut ${cuts} times and heard each event once, in order`, cuts > 1 && own.join() === later.join(), `${own} instead of ${later}`);
  check(`${name} heard no event twice`, new Set(seen.map(({ cursor }) => cursor)).size === seen.length);
  return { tag, ids };
}
