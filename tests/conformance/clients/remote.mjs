// A client that is another program: it reads requests of scenario.mjs from its standard input and writes results and
// events, one JSON object on each line. Its WebSockets pass a proxy, so that the test can cut them.
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import process from 'node:process';
import { apiKey, httpUrl } from '../harness.mjs';

/** A server that forwards connections to HelpBot. `cut` ends those that are open, and returns their number. */
async function proxy() {
  const { hostname, port } = new URL(httpUrl);
  const sockets = new Set();
  const server = createServer((socket) => {
    const upstream = connect(Number(port), hostname);
    for (const [one, other] of [[socket, upstream], [upstream, socket]]) {
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    const count = sockets.size;
    for (const socket of sockets) socket.resetAndDestroy();
    return count;
  };
  return { url: `ws://127.0.0.1:${server.address().port}/graphql`, cut, close: () => server.close() };
}

/** Starts the program. The result is an adapter, with `stop()`, which ends the program. */
export async function remote(command, args, cwd) {
  const { url, cut, close } = await proxy();
  const env = { ...process.env, HELPBOT_URL: httpUrl, HELPBOT_STREAM_URL: url, HELPBOT_KEY: apiKey };
  const child = spawn(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map();
  let onEvent = () => {};
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line);
    if (message.event) return onEvent(message.event);
    waiting.get(message.id).resolve(message.result);
    waiting.delete(message.id);
  });
  child.on('close', (code) => waiting.forEach(({ reject }) => reject(new Error(`the program ended with ${code}`))));
  let requests = 0;
  const call = (method) => (...params) => new Promise((resolve, reject) => {
    requests += 1;
    waiting.set(requests, { resolve, reject });
    child.stdin.write(`${JSON.stringify({ id: requests, method, params })}\n`);
  });
  const follow = call('follow');
  return {
    ask: call('ask'), page: call('page'), vote: call('vote'), cursor: call('cursor'), cut,
    follow(after, listener) {
      onEvent = listener;
      void follow(after);
      return () => {};
    },
    stop() {
      child.stdin.end();
      child.kill();
      close();
    },
  };
}
