// Every call of the documented Node SDK, compiled strictly, against a running server.
import assert from 'node:assert/strict';
import process from 'node:process';
import { HelpBot, HelpBotError } from './client.js';

const [baseUrl, apiKey] = process.argv.slice(2);
if (baseUrl === undefined || apiKey === undefined) throw new Error('usage: node documented.js http://HOST:PORT KEY');
const helpbot = new HelpBot({ apiKey, baseUrl });

const answer = await helpbot.chat('How do I add the widget to my site?');
assert.ok(answer.answer.length > 0 && answer.conversationId.startsWith('conv_'));
assert.ok(answer.sources.every((source) => typeof source === 'string'));
const again = await helpbot.chat('Wie füge ich das Widget ein?', { sessionId: 'sdk-1', language: 'de' });
assert.notEqual(again.conversationId, answer.conversationId);

assert.equal(await helpbot.feedback(answer.conversationId, 'yes'), true);
assert.equal(await helpbot.handoff(answer.conversationId, 'visitor@example.com'), true);
assert.equal(await helpbot.handoff(again.conversationId), true);

const url = `https://example.com/faq-${Date.now()}`;
const source = await helpbot.sources.add(url);
assert.equal(source.status, 'pending');
assert.ok((await helpbot.sources.list()).some(({ id }) => id === source.id));
const rescraped = await helpbot.sources.rescrape(source.id);
assert.deepEqual([rescraped.sourceId, rescraped.url, rescraped.status], [source.id, url, 'scraping']);
assert.equal(await helpbot.sources.delete(source.id), true);

const before = await helpbot.config.get();
const changed = await helpbot.config.update({ botName: 'Ada', position: 'bottom-left' });
assert.deepEqual([changed.updated, changed.config.botName], [['position', 'botName'], 'Ada']);
await helpbot.config.update({ botName: before.botName, position: before.position });
assert.deepEqual(await helpbot.config.get(), before);

const overview = await helpbot.analytics.overview('7d');
assert.ok(overview.range === '7d' && overview.totalQuestions >= 2 && overview.handoffCount >= 2);
assert.ok(overview.credits.remaining <= overview.credits.limit);
assert.equal((await helpbot.analytics.activity('30d')).activity.length, 30);

const list = await helpbot.conversations.list({ filter: 'handoff', sessionId: 'sdk-1', limit: 5, page: 1, sort: 'newest' });
assert.deepEqual([list.totalDocs, list.page, list.totalPages, list.limit], [1, 1, 1, 5]);
assert.equal(list.conversations[0]?.customerEmail, null);

const webhook = await helpbot.webhooks.create({ url: 'https://example.com/hook', events: ['conversation.created'] });
assert.match(webhook.secret, /^whsec_/);
assert.equal((await helpbot.webhooks.list()).find(({ id }) => id === webhook.id)?.secret, `****${webhook.secret.slice(-4)}`);
assert.equal(await helpbot.webhooks.delete(webhook.id), true);

await assert.rejects(helpbot.webhooks.delete(webhook.id), (error) => error instanceof HelpBotError && error.status === 404);
await assert.rejects(
  new HelpBot({ apiKey: 'wk_wrong', baseUrl }).config.get(),
  (error) => error instanceof HelpBotError && error.status === 401 && error.code === 'UNAUTHENTICATED',
);
console.log('ok   every documented call, typed and answered');
