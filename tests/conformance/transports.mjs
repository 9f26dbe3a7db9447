// The transports with the clients that people use: subscriptions by Apollo's multipart protocol and by server-sent
// events at /graphql, uploads at /graphql, refusals that Node's fetch can read, and queries by GET that a browser may
// keep.
import process from 'node:process';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { createClient as createStream } from 'graphql-sse';
import { ask, bearer, check, execute, httpUrl, soon } from './harness.mjs';

// Apollo Client sends `multipart/mixed;subscriptionSpec=1.0` for subscriptions over its HTTP link.
const apollo = new ApolloClient({ cache: new InMemoryCache(), link: ApolloLink.from([new HttpLink({ uri: httpUrl, headers: bearer })]) });
const subscription = gql`subscription { conversationEvents { cursor type conversation { id question } } }`;
const heard = new Promise((resolve, reject) => {
  apollo.subscribe({ query: subscription }).subscribe({ next: (result) => result.data?.conversationEvents.conversation.question === 'Does Apollo hear this?' && resolve(result), error: reject });
});
let isAsking = true;
heard.finally(() => { isAsking = false; }).catch(() => {});
const asking = (async () => { while (isAsking) { await ask('Does Apollo hear this?'); await new Promise((resolve) => setTimeout(resolve, 50)); } })();
const event = await soon(heard, 'an event through the multipart protocol');
await asking;
check('Apollo Client subscribes by multipart', event.data.conversationEvents.cursor.length > 0);
const invalid = await soon(new Promise((resolve) => {
  apollo.subscribe({ query: gql`subscription { conversationEvents(after: "never") { cursor } }` }).subscribe({ next: (result) => result.error && resolve(result.error), error: resolve });
}), 'the refusal');
check('and hears why a subscription is refused', String(invalid.message ?? invalid).includes('cursor'), String(invalid));
await apollo.stop();

const stream = createStream({ url: httpUrl, headers: bearer, retryAttempts: 0 });
const first = await soon(stream.iterate({ query: '{ __typename }' }).next(), 'the answer to a query');
check('/graphql answers with events to whom accepts only events', first.value?.data?.__typename === 'Query', JSON.stringify(first));
stream.dispose();

const form = new FormData();
form.set('operations', JSON.stringify({ query: 'mutation ($input: UploadSourceInput!) { uploadSource(input: $input) { source { id } userErrors { code message } } }', variables: { input: { file: null } } }));
form.set('map', '{"0":["variables.input.file"]}');
form.set('0', new File(['# Help\n\n## Why?\n\nBecause.\n'], 'help.md'));
const refused = await fetch(httpUrl, { method: 'POST', headers: bearer, body: form });
check('an upload at /graphql needs the header of the specification', refused.status === 400);
const uploaded = await fetch(httpUrl, { method: 'POST', headers: { ...bearer, 'graphql-require-preflight': '1' }, body: form });
const made = await uploaded.json();
check('a file is uploaded at /graphql', typeof made.data?.uploadSource?.source?.id === 'string', JSON.stringify(made));

// A refusal is readable although the body is not: Node's fetch reports a broken connection otherwise.
for (const [what, headers, size, status] of [
  ['with a wrong key', { authorization: 'Bearer sk_live_wrong' }, 8 * 1024 * 1024, 401],
  ['that is too large', bearer, 8 * 1024 * 1024, 413],
  ['of a wrong type', { ...bearer, 'content-type': 'text/plain' }, 4 * 1024 * 1024, 415],
]) {
  for (let n = 0; n < 5; n += 1) {
    const body = JSON.stringify({ query: '{ __typename }', padding: 'x'.repeat(size) });
    const status_ = await fetch(httpUrl, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body }).then((response) => response.status, (error) => String(error.cause ?? error));
    if (status_ !== status || n === 4) {
      check(`the refusal of a body ${what} can be read`, status_ === status, String(status_));
      break;
    }
  }
}

const config = `${httpUrl}?query=${encodeURIComponent('{ site { name widget { botName greeting } } }')}`;
const fresh = await fetch(config, { headers: bearer });
const tag = fresh.headers.get('etag');
check('a query by GET for the configuration may be kept for a short time', /^private, max-age=\d+$/.test(fresh.headers.get('cache-control')) && tag?.startsWith('W/"'), fresh.headers.get('cache-control'));
const again = await fetch(config, { headers: { ...bearer, 'if-none-match': tag } });
check('and is not sent again', again.status === 304 && (await again.text()) === '');
const { site } = await execute('{ site { id widget { botName } } }');
await execute('mutation ($input: UpdateWidgetConfigInput!) { updateWidgetConfig(input: $input) { userErrors { code message } } }', { input: { botName: `${site.widget.botName}!` } }).catch((error) => check('the configuration can be changed', false, error.message));
const changed = await soon((async () => {
  for (;;) {
    const response = await fetch(config, { headers: { ...bearer, 'if-none-match': tag } });
    if (response.status === 200) return response.json();
  }
})(), 'the new configuration');
check('until it has changed', changed.data.site.widget.botName === `${site.widget.botName}!`);
const secret = await fetch(`${httpUrl}?query=${encodeURIComponent('{ site { name conversations { totalCount } } }')}`, { headers: bearer });
check('a query for anything else is never kept', secret.headers.get('cache-control') === 'no-store' && secret.headers.get('etag') === null);

const preflight = await fetch(httpUrl, { method: 'OPTIONS', headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST' } });
const allowed = preflight.headers.get('access-control-allow-headers').toLowerCase();
for (const name of ['apollographql-client-name', 'apollographql-client-version', 'x-apollo-operation-name', 'traceparent', 'baggage', 'sentry-trace', 'if-none-match']) {
  check(`pages may send ${name}`, allowed.split(/, */).includes(name), allowed);
}
// Apollo Client keeps the connection of a subscription open.
process.exit();
