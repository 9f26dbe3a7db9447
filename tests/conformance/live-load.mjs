// A measurement, not part of `npm test`: 2,000 live queries on one node, 500 of them distinct by document, variables
// or rights, and 50 questions a second for a minute. Prints the CPU time of the server, and the time from sending a
// question until each client that follows the site has a patch with it.
//   HELPBOT_BINARY=… node live-load.mjs [SECONDS]
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import WebSocket from 'ws';

const SECONDS = Number(process.argv[2] ?? 60);
const SITES = 50;
const DISTINCT = 10; // for each site
const VIEWERS = 4; // for each distinct query
const WRITES_PER_SECOND = 50;

const home = mkdtempSync(join(tmpdir(), 'helpbot-live-'));
const server = spawn(process.env.HELPBOT_BINARY, ['serve', '--listen', '127.0.0.1:0', '--data', join(home, 'data')], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, HELPBOT_LOG: 'warn', HELPBOT_RATE_LIMITS: 'off', HELPBOT_OWNER_EMAIL: 'owner@shop.example' },
});
const url = await new Promise((resolve, reject) => {
  let printed = '';
  server.stdout.on('data', (bytes) => {
    printed += bytes;
    const found = printed.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
    if (found && printed.includes('</script>')) resolve(found);
  });
  server.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${printed}`)));
});
const operator = readFileSync(join(home, 'data', 'first-keys.txt'), 'utf8').match(/adm_\w+/)[0];

async function execute(key, query, variables) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const body = await response.json();
  if (body.errors) throw new Error(JSON.stringify(body.errors));
  return body.data;
}

/** CPU seconds that the server has used. */
function cpu() {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const sites = [];
for (let n = 0; n < SITES; n += 1) {
  const input = { name: `Site ${n}`, ownerEmail: 'owner@shop.example' };
  const made = await execute(operator, 'mutation ($input: CreateSiteInput!) { createSite(input: $input) { site { id } userErrors { message } } }', { input });
  const siteId = made.createSite.site.id;
  const key = await execute(operator, 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }', { input: { siteId, kind: 'SECRET', name: 'live' } });
  // `sent[n]` is when question n was sent.
  sites.push({ key: key.createApiKey.secret, sent: [] });
}

const delays = [];
let results = 0;
/** Opens one socket with all distinct queries of a site. */
function follow(site) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    const seen = Array(DISTINCT).fill(-1);
    let opened = 0;
    socket.on('error', reject);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { apiKey: site.key } })));
    socket.on('message', (bytes) => {
      const text = bytes.toString();
      const frame = JSON.parse(text);
      if (frame.type === 'ping') return socket.send('{"type":"pong"}');
      if (frame.type === 'connection_ack') {
        for (let n = 0; n < DISTINCT; n += 1) {
          const query = `query ($first: Int!) @live { site { conversations(first: $first) { totalCount nodes { id question answer messages(last: 1) { nodes { text } } } } } }`;
          socket.send(JSON.stringify({ id: String(n), type: 'subscribe', payload: { query, variables: { first: n + 5 }, extensions: { livePatches: true } } }));
        }
        return undefined;
      }
      if (frame.type !== 'next') return reject(new Error(text));
      if (frame.payload.revision === 1) {
        opened += 1;
        if (opened === DISTINCT) resolve(socket);
        return undefined;
      }
      results += 1;
      const at = performance.now();
      const newest = Math.max(...[...text.matchAll(/Question (\d+)\?/g)].map((found) => Number(found[1])));
      for (let n = seen[frame.id] + 1; n <= newest; n += 1) delays.push(at - site.sent[n]);
      seen[frame.id] = Math.max(seen[frame.id], newest);
      return undefined;
    });
  });
}

const sockets = [];
for (const site of sites) for (let viewer = 0; viewer < VIEWERS; viewer += 1) sockets.push(await follow(site));
const ASK = 'mutation ($question: String!) { askQuestion(input: { question: $question }) { userErrors { message } } }';
const [cpuBefore, began] = [cpu(), performance.now()];
const answers = [];
for (let n = 0; n < SECONDS * WRITES_PER_SECOND; n += 1) {
  const due = began + (n * 1000) / WRITES_PER_SECOND;
  while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
  const site = sites[n % SITES];
  site.sent.push(performance.now());
  answers.push(execute(site.key, ASK, { question: `Question ${site.sent.length - 1}?` }));
}
await Promise.all(answers);
const seconds = (performance.now() - began) / 1000;
const used = cpu() - cpuBefore;
await new Promise((resolve) => setTimeout(resolve, 2000));
delays.sort((a, b) => a - b);
const at = (share) => delays[Math.min(delays.length - 1, Math.floor(delays.length * share))].toFixed(0);
const expected = answers.length * DISTINCT * VIEWERS;
console.log(`${sockets.length * DISTINCT} live queries, ${SITES * DISTINCT} distinct; ${answers.length} questions in ${seconds.toFixed(1)} s`);
console.log(`${results} patches; ${delays.length} of ${expected} changes seen`);
console.log(`server CPU ${used.toFixed(1)} s (${((100 * used) / seconds).toFixed(0)} % of one processor)`);
console.log(`write to patch: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`);
sockets.forEach((socket) => socket.terminate());
server.removeAllListeners('exit');
server.kill('SIGTERM');
rmSync(home, { recursive: true, force: true });
process.exit(delays.length === expected ? 0 : 1);
