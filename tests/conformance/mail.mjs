// Mail through a mail server that others wrote (smtp-server of Nodemailer), read by a parser that
// others wrote (mailparser): handoffs, code and transcript, in text and HTML, with hostile words in them.
// The server asks for a password, over STARTTLS, with a certificate of the operator's own authority.
// Before it, a server without TLS listened on the same port: mails wait then, and are shown as waiting.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { check, execute, httpUrl, soon } from './harness.mjs';

const { HELPBOT_TEST_SMTP_PORT: port, HELPBOT_TEST_WIDGET_KEY: widgetKey, HELPBOT_TEST_CERTIFICATES: certificates } = process.env;
if (!port || !widgetKey || !certificates) throw new Error('run.mjs says where the mail server listens, and gives certificates and a widget key');

const QUESTION = 'Is <script>alert(1)</script> "safe" & <a href="https://evil.example">sound</a>?\u202e';
const PAGE = `<html lang="en"><title>Help</title>
  <details><summary>Where is my order?</summary><p>Open the link in the mail that we sent you.</p></details>
  <details><summary>Do you ship to Norway?</summary><p>Yes, within five working days.</p></details></html>`;
const VISITOR = 'ann@visitor.example';

/** Runs one operation as a visitor; with the token of the session when there is one. */
async function asVisitor(query, variables, token) {
  const headers = { authorization: `Bearer ${widgetKey}`, 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  if (token) headers['x-helpbot-session'] = token;
  const response = await fetch(httpUrl, { method: 'POST', headers, body: JSON.stringify({ query, variables }) });
  const body = await response.json();
  if (body.errors) throw new Error(JSON.stringify(body.errors));
  return body.data;
}

const waitingMails = async () => (await execute('{ site { waitingMails { nodes { kind attemptCount error nextAttemptAt } } } }')).site.waitingMails.nodes;

/** Looks until `wanted` holds of the waiting mails. */
function waitingOnce(wanted, what) {
  const look = async () => {
    for (;;) {
      const mails = await waitingMails();
      if (wanted(mails)) return mails;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return soon(look(), what, 60);
}

const mails = [];
const arrived = [];
const server = new SMTPServer({
  authMethods: ['PLAIN'],
  key: readFileSync(join(certificates, 'server.key')),
  cert: readFileSync(join(certificates, 'server.pem')),
  onAuth: ({ username, password }, session, done) =>
    session.secure && username === 'bot' && password === 'p@ss' ? done(null, { user: username }) : done(new Error('wrong password')),
  onData: (stream, session, done) => {
    simpleParser(stream).then((mail) => {
      const envelope = session.envelope;
      const entry = { mail, to: envelope.rcptTo.map((it) => it.address), user: session.user, isSecure: session.secure };
      const waiter = arrived.shift();
      if (waiter) waiter(entry);
      else mails.push(entry);
      done();
    }, done);
  },
});
const nextMail = () => soon(new Promise((resolve) => (mails.length ? resolve(mails.shift()) : arrived.push(resolve))), 'a mail', 90);

/** The same server as an attacker on the network would present it: without STARTTLS. Returns what it received. */
async function strippedServer() {
  const told = [];
  const note = (what) => (_it, _session, done) => {
    told.push(what);
    done(new Error('not here'));
  };
  const stripped = new SMTPServer({
    authMethods: ['PLAIN'],
    authOptional: true,
    hideSTARTTLS: true,
    allowInsecureAuth: true,
    onAuth: note('AUTH'),
    onMailFrom: note('MAIL'),
  });
  await new Promise((resolve) => stripped.listen(Number(port), '127.0.0.1', resolve));
  return { told, close: () => new Promise((resolve) => stripped.close(resolve)) };
}

/** What holds of every mail. */
function checkMail(name, { mail, to, user, isSecure }, recipient) {
  check(`${name}: over TLS`, isSecure === true);
  check(`${name}: over the account`, user === 'bot', user);
  check(`${name}: to one alone`, to.length === 1 && to[0] === recipient && mail.to.text === recipient, to.join());
  check(`${name}: text and HTML`, mail.text.length > 0 && mail.html.length > 0);
  check(`${name}: the words are there as words`, mail.text.includes('> Is <script>alert(1)</script> "safe"'), mail.text);
  check(`${name}: and as words in HTML`, mail.html.includes('Is &lt;script&gt;alert(1)&lt;/script&gt; &quot;safe&quot; &amp;'), mail.html);
  check(`${name}: no element of theirs`, !/<script|href="https:\/\/evil/.test(mail.html), mail.html);
  check(`${name}: nothing that turns text around`, !`${mail.subject}${mail.text}${mail.html}`.includes('\u202e'));
}

/** Handoffs after the first one: they come together in one mail, after the interval that run.mjs sets. */
async function collectedHandoffs() {
  const asked = ['What about rain?', 'What about snow?'];
  for (const question of asked) {
    const { askQuestion } = await asVisitor(
      'mutation ($question: String!) { askQuestion(input: { question: $question }) { sessionToken conversation { id } } }',
      { question },
    );
    await asVisitor(handoff, { id: askQuestion.conversation.id }, askQuestion.sessionToken);
  }
  const { mail, to } = await nextMail();
  check('collected handoffs: one mail to the owner', to.join() === 'owner@shop.example' && mails.length === 0, to.join());
  check('collected handoffs: how many', mail.subject === 'My site: 2 requests for a human', mail.subject);
  check('collected handoffs: each of them', asked.every((question) => mail.text.includes(`> ${question}`)), mail.text);
  check('collected handoffs: no single reply address', !mail.replyTo);
}

/** A page that fails after a successful sync: the owner receives one mail, not one for each failure. */
async function failingSource() {
  let isWell = true;
  const site = createServer((_request, response) => {
    if (!isWell) return response.writeHead(500).end();
    return response.setHeader('content-type', 'text/html').end(PAGE);
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${site.address().port}/help`;
  const added = await execute('mutation ($url: String!) { addSource(input: { url: $url }) { source { id } userErrors { message } } }', { url });
  const { id } = added.addSource.source;
  const ended = async (status) => {
    for (;;) {
      const { node } = await execute('query ($id: ID!) { node(id: $id) { ... on Source { status lastSyncedAt } } }', { id });
      if (node.status === status) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const again = () => execute('mutation ($id: ID!) { syncSource(input: { sourceId: $id }) { userErrors { message } } }', { id });
  await soon(ended('INDEXED'), 'the first sync');
  isWell = false;
  for (let time = 0; time < 2; time += 1) {
    await again();
    await soon(ended('FAILED'), 'a failed reading', 60);
  }
  const { mail, to } = await nextMail();
  check('failing source: to the owner', to.join() === 'owner@shop.example', to.join());
  check('failing source: which and why', mail.text.includes(`> ${url}`) && mail.text.includes('Answers still come from the previous sync'), mail.text);
  check('failing source: the way there', mail.html.includes(`/dashboard/sources/${id}`));
  await waitingOnce((all) => all.length === 0, 'the end of waiting');
  check('failing source: one mail', mails.length === 0, String(mails.length));
  site.close();
}

/** A webhook that responds with 410: it is disabled, and the owner receives a mail. */
async function goneWebhook() {
  const gone = createServer((_request, response) => response.writeHead(410).end());
  await new Promise((resolve) => gone.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${gone.address().port}/hook`;
  const made = await execute(
    'mutation ($url: String!) { createWebhook(input: { url: $url, events: [CONVERSATION_CREATED] }) { webhook { id } userErrors { message } } }',
    { url },
  );
  const { webhook, userErrors } = made.createWebhook;
  if (!webhook) throw new Error(JSON.stringify(userErrors));
  await asVisitor('mutation { askQuestion(input: { question: "Anybody there?" }) { conversation { id } } }');
  const { mail, to } = await nextMail();
  check('gone webhook: to the owner', to.join() === 'owner@shop.example', to.join());
  check('gone webhook: which and why', mail.text.includes(`> ${url}`) && mail.text.includes('410'), mail.text);
  check('gone webhook: the way there', mail.html.includes('/dashboard/webhooks'), mail.html);
  await execute('mutation ($id: ID!) { deleteWebhook(input: { id: $id }) { userErrors { message } } }', { id: webhook.id });
  gone.close();
}

const stripped = await strippedServer();
const asked = await asVisitor(
  'mutation ($question: String!) { askQuestion(input: { question: $question }) { sessionToken conversation { id } userErrors { message } } }',
  { question: QUESTION },
);
const { sessionToken, conversation } = asked.askQuestion;
const handoff = `mutation ($id: ID!, $email: String) {
  requestHandoff(input: { conversationId: $id, customerEmail: $email }) { userErrors { code } }
}`;
const unproved = await asVisitor(handoff, { id: conversation.id, email: VISITOR });
check('an address needs the session token', unproved.requestHandoff.userErrors[0]?.code === 'FORBIDDEN', JSON.stringify(unproved));
await asVisitor(handoff, { id: conversation.id, email: VISITOR }, sessionToken);
const transcript = `mutation ($id: ID!, $email: String) {
  sendTranscript(input: { conversationId: $id, email: $email }) { conversation { id } userErrors { code } }
}`;
const stranger = await asVisitor(transcript, { id: conversation.id, email: 'victim@else.example' });
check('nobody mails the conversation of another', stranger.sendTranscript.userErrors[0]?.code === 'NOT_FOUND', JSON.stringify(stranger));
const own = await asVisitor(transcript, { id: conversation.id }, sessionToken);
check('an address that is not confirmed gets no transcript', own.sendTranscript.userErrors[0]?.code === 'BAD_USER_INPUT', JSON.stringify(own));
const codeAsked = await asVisitor(
  `mutation ($id: ID!, $email: String!) {
    requestTranscriptCode(input: { conversationId: $id, email: $email }) { expiresAt userErrors { code } }
  }`,
  { id: conversation.id, email: VISITOR },
  sessionToken,
);
check('the visitor asks for a code', codeAsked.requestTranscriptCode.userErrors.length === 0, JSON.stringify(codeAsked));

const tried = await waitingOnce((all) => all.length === 2 && all.every((it) => it.error), 'the first attempts at a mail server without TLS');
await stripped.close();
check('both wait, with the reason', tried.map((it) => it.kind).sort().join() === 'HANDOFF,TRANSCRIPT_CODE', JSON.stringify(tried));
check('the reason is the missing TLS', tried.every((it) => it.error.includes('STARTTLS')), JSON.stringify(tried));
check('neither password nor mail went out in the clear', stripped.told.length === 0, stripped.told.join());
await new Promise((resolve) => server.listen(Number(port), '127.0.0.1', resolve));
try {
  const both = [await nextMail(), await nextMail()];
  const handoff = both.find((it) => it.mail.subject.startsWith('My site: '));
  const codeMail = both.find((it) => it !== handoff);
  const code = /^\d{6}/.exec(codeMail.mail.subject)?.[0];
  check('code: to the visitor alone', codeMail.to.join() === VISITOR && codeMail.mail.to.text === VISITOR, codeMail.to.join());
  check('code: six digits, in subject and text', code !== undefined && codeMail.mail.text.includes(code), codeMail.mail.subject);
  check('code: nothing that the visitor wrote', !`${codeMail.mail.text}${codeMail.mail.html}`.includes('safe'), codeMail.mail.text);
  const confirmed = await asVisitor(
    `mutation ($confirm: ConfirmTranscriptCodeInput!, $send: SendTranscriptInput!) {
      confirmTranscriptCode(input: $confirm) { userErrors { code } }
      sendTranscript(input: $send) { userErrors { code } }
    }`,
    { confirm: { conversationId: conversation.id, email: VISITOR, code }, send: { conversationId: conversation.id, email: VISITOR } },
    sessionToken,
  );
  check('the code confirms the address', confirmed.confirmTranscriptCode.userErrors.length === 0, JSON.stringify(confirmed));
  check('the visitor asks for their own transcript', confirmed.sendTranscript.userErrors.length === 0, JSON.stringify(confirmed));
  const copy = await nextMail();
  check('transcript: the conversation', copy.mail.subject.startsWith('Your conversation'), copy.mail.subject);
  checkMail('handoff', handoff, 'owner@shop.example');
  check('handoff: answered to the visitor', handoff.mail.replyTo?.text === VISITOR, handoff.mail.replyTo?.text);
  check('handoff: the way to the inbox', handoff.mail.html.includes(`/dashboard/inbox/${conversation.id}`));
  checkMail('transcript', copy, VISITOR);
  check('transcript: no address of the owner', !`${copy.mail.text}${copy.mail.html}`.includes('owner@shop.example') && !copy.mail.replyTo);
  await waitingOnce((all) => all.length === 0, 'the end of waiting');
  check('nothing waits any more', true);
  await collectedHandoffs();
  await failingSource();
  await goneWebhook();
} finally {
  server.close();
}
