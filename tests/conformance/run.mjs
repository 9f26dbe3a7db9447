// `npm test`: starts the built binary (HELPBOT_BINARY) on an empty directory and a free port, runs
// every script of this directory against it, and ends it. `node run.mjs mail.mjs` runs only that script.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import WebSocket from 'ws';
import { makeAuthority } from './certificates.mjs';

const binary = process.env.HELPBOT_BINARY;
if (!binary) throw new Error('HELPBOT_BINARY names the built program');
/** A port that nobody listens on yet: the mail server comes later, as mail.mjs says. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const smtpPort = await freePort();
const home = mkdtempSync(join(tmpdir(), 'helpbot-conformance-'));
makeAuthority(home, ['IP:127.0.0.1']);
const server = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--data', join(home, 'data')], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    HELPBOT_LOG: 'warn',
    // The scripts ask more in a second than visitors in an hour.
    HELPBOT_RATE_LIMITS: 'off',
    // Where webhooks.mjs listens.
    HELPBOT_ALLOW_PRIVATE: '127.0.0.1',
    HELPBOT_OWNER_EMAIL: 'owner@shop.example',
    HELPBOT_SMTP_URL: `smtp://bot:p%40ss@127.0.0.1:${smtpPort}?tls=required`,
    HELPBOT_CA_FILE: join(home, 'authority.pem'),
    HELPBOT_SMTP_FROM: 'Shop <bot@shop.example>',
    // Longer than the stripped server needs, so that the handoffs after the first one come together.
    HELPBOT_HANDOFF_MAIL_INTERVAL_S: '90',
  },
});

/** The address that the server prints at its start, and the keys of its first site, which are in a file. */
function started() {
  return new Promise((resolve, reject) => {
    let printed = '';
    server.stdout.on('data', (bytes) => {
      printed += bytes;
      const url = printed.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
      if (!url || !printed.includes('</script>')) return;
      const keys = readFileSync(join(home, 'data', 'first-keys.txt'), 'utf8');
      const [key, widgetKey, operatorKey] = [/sk_live_\w+/, /wk_live_\w+/, /adm_\w+/].map((form) => keys.match(form)[0]);
      resolve({ url, key, widgetKey, operatorKey });
    });
    server.on('exit', (code) => reject(new Error(`the server ended with ${code}; it printed: ${printed}`)));
  });
}

/** Runs one script and prints what it printed and how long it took. */
async function run(script, { url, key, widgetKey, operatorKey }) {
  const env = {
    ...process.env,
    HELPBOT_TEST_SMTP_PORT: String(smtpPort),
    HELPBOT_TEST_CERTIFICATES: home,
    HELPBOT_TEST_WIDGET_KEY: widgetKey,
  };
  const began = performance.now();
  const child = spawn(process.execPath, [script, url, key, operatorKey], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => printed.push(bytes));
  const code = await new Promise((resolve) => child.on('close', resolve));
  console.log(`\n== ${script}, ${Math.round((performance.now() - began) / 1000)} s\n${Buffer.concat(printed)}`);
  return code ?? 1;
}

// One after the other, but those of a list at the same time: mail.mjs waits for mails, which must be the first ones of
// the server, and the others of its list do nothing that sends mails. The last two change whatever they can reach.
const scripts = [
  ['mail.mjs', 'rebinding.mjs', 'differential.mjs', 'openapi-lint.mjs', 'contract.mjs'],
  'execution.mjs', 'audit-http.mjs', 'ws-frames.mjs', 'ws-resume.mjs', 'sse.mjs', 'live.mjs', 'transports.mjs', 'federation.mjs', 'webhooks.mjs', 'sdk.mjs', 'guide.mjs',
  ['clients/apollo.mjs', 'clients/urql.mjs', 'clients/relay.mjs', 'clients/typed.mjs', 'clients/ariadne.mjs'],
  'openapi-properties.mjs', 'fuzz.mjs',
];
/** Ends the server as an operator does: an open socket hears 1012, and the process ends by itself. */
async function endInOrder({ url, key }) {
  console.log('\n== the end of the server');
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const acknowledged = new Promise((resolve) => socket.on('message', resolve));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { apiKey: key } })));
  socket.on('error', (error) => console.log(error));
  await acknowledged;
  server.removeAllListeners('exit');
  const ended = new Promise((resolve) => server.on('exit', resolve));
  server.kill('SIGTERM');
  // The server itself gives up after ten seconds.
  const late = setTimeout(() => server.kill('SIGKILL'), 20_000);
  const [closeCode, exitCode] = await Promise.all([closed, ended]);
  clearTimeout(late);
  console.log(`the socket was closed with ${closeCode}, the server ended with ${exitCode}`);
  return closeCode === 1012 && exitCode === 0;
}

const named = process.argv.slice(2);
const chosen = named.length > 0 ? named : scripts;
let failed = 0;
try {
  const running = await started();
  for (const step of chosen) {
    const codes = await Promise.all([step].flat().map((script) => run(script, running)));
    failed += codes.filter((code) => code !== 0).length;
  }
  if (!(await endInOrder(running))) failed += 1;
} finally {
  server.removeAllListeners('exit');
  server.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
}
console.log(`\n${chosen.length + 1 - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
