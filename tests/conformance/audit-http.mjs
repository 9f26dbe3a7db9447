// The audits of graphql-http: every rule of GraphQL over HTTP, MUST, SHOULD and MAY.
import { serverAudits } from 'graphql-http';
import { bearer, httpUrl } from './harness.mjs';
import process from 'node:process';

// The audits know nothing of keys.
const fetchFn = (url, init = {}) => fetch(url, { ...init, headers: { ...init.headers, ...bearer } });

/** As many as graphql-http has (package.json holds its version); fewer, and something was not asked. */
const AUDITS = 61;

const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
for (const audit of serverAudits({ url: httpUrl, fetchFn })) {
  const result = await audit.fn();
  counts[result.status] += 1;
  if (result.status !== 'ok') {
    console.log(`${result.status} ${result.id} ${result.name}: ${result.reason}`);
    console.log(`  ${result.response.status} ${await result.response.clone().text().catch(() => '')}`);
  }
}
const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
console.log(`${counts.ok} of ${total} audits ok, ${counts.error} errors, ${counts.warn} warnings, ${counts.notice} notices`);
process.exitCode = counts.ok === AUDITS && total === AUDITS ? 0 : 1;
