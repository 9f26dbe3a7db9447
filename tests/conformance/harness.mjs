// What the scripts share: where the server is, asking it, and judging.
import process from 'node:process';

const [base, key] = process.argv.slice(2);
if (!base || !key) {
  console.error(`usage: node ${process.argv[1]} http://HOST:PORT KEY`);
  process.exit(2);
}

export const apiKey = key;
export const httpUrl = new URL('/graphql', base).href;
export const streamUrl = new URL('/graphql/stream', base).href;
export const socketUrl = httpUrl.replace(/^http/, 'ws');
export const bearer = { authorization: `Bearer ${key}` };

/** Runs one operation over HTTP and gives its data. */
export function execute(query, variables) {
  return executeWith(key, query, variables);
}

/** Runs one operation over HTTP with an API key and gives its data. */
export async function executeWith(apiKey, query, variables) {
  const response = await fetch(httpUrl, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query, variables }),
  });
  const body = await response.json();
  if (body.errors) throw new Error(JSON.stringify(body.errors));
  return body.data;
}

/** The subscription that is interrupted and resumed, with the fields of each event. */
export const EVENTS = `subscription Events($after: String) {
  conversationEvents(after: $after) { id cursor type conversationId }
}`;

/** Asks a question and gives the id of its conversation. */
export async function ask(question) {
  const data = await execute(
    'mutation Ask($input: AskQuestionInput!) { askQuestion(input: $input) { conversation { id } userErrors { message code } } }',
    { input: { question } },
  );
  if (data.askQuestion.userErrors.length > 0) throw new Error(JSON.stringify(data.askQuestion.userErrors));
  return data.askQuestion.conversation.id;
}

/** Fails the script unless `holds`. */
export function check(what, holds, detail = '') {
  console.log(`${holds ? 'ok  ' : 'FAIL'} ${what}${holds || detail === '' ? '' : `: ${detail}`}`);
  if (!holds) process.exitCode = 1;
}

/** Compares the events that a cut client saw with the log, read in one piece. */
export function checkSequence(seen, log, asked) {
  const cursors = (events) => events.map((event) => event.cursor).join(' ');
  check('no event came twice', new Set(seen.map((event) => event.id)).size === seen.length);
  check('the events are those of the log, in its order', cursors(seen) === cursors(log), `${seen.length} of ${log.length}`);
  const conversations = new Set(seen.map((event) => event.conversationId));
  check('each question that was acknowledged has its event', asked.every((id) => conversations.has(id)));
}

/** `promise`, which must not take longer than `seconds`. */
export async function soon(promise, what, seconds = 20) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen in ${seconds} s`)), seconds * 1000);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
