// Composes the subgraph of the server with a second one that extends Site and Conversation, with the libraries of two
// vendors, and executes queries over both through @apollo/gateway.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import process from 'node:process';
import { composeServices as composeWithApollo } from '@apollo/composition';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { composeServices as composeWithGuild } from '@theguild/federation-composition';
import { buildSchema, execute as executeDocument, parse } from 'graphql';
import { apiKey, ask, check, execute, httpUrl } from './harness.mjs';

/** The second subgraph: tickets about conversations, and the customer number of a site. */
const CRM = `
type Site @key(fields: "id") { id: ID! customerNumber: String }
type Conversation @key(fields: "id") { id: ID! ticket: Ticket }
type Ticket { number: Int! conversation: Conversation }
type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type TicketPage { tickets: [Ticket!]! pageInfo: PageInfo! }
type Query { tickets: TicketPage! }
`;
const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])';
const SERVED = `
directive @key(fields: String!) on OBJECT
directive @shareable on OBJECT
scalar _Any
union _Entity = Site | Conversation
extend type Query { _entities(representations: [_Any!]!): [_Entity]! }
`;

const { _service: service } = await execute('{ _service { sdl } }');
if (process.env.HELPBOT_BINARY) {
  const printed = execFileSync(process.env.HELPBOT_BINARY, ['schema', '--federation'], { encoding: 'utf8' });
  check('the program prints the definition that the server returns', printed === service.sdl);
}
const subgraphs = [
  { name: 'helpbot', url: httpUrl, typeDefs: parse(service.sdl) },
  { name: 'crm', url: 'http://crm.example/graphql', typeDefs: parse(LINK + CRM) },
];
const composed = composeWithApollo(subgraphs);
check('@apollo/composition composes the subgraphs', !composed.errors, composed.errors?.join('\n'));
const other = composeWithGuild(subgraphs);
check('@theguild/federation-composition composes them too', !other.errors, other.errors?.join('\n'));

const conversationId = await ask('Does the ticket know its conversation?');
const { site } = await execute('{ site { id name } }');
const tickets = [
  { number: 7, conversation: { __typename: 'Conversation', id: conversationId } },
  { number: 8, conversation: { __typename: 'Conversation', id: 'conv_01h455vb4pex5vsknk084sn02q' } },
];
const crm = buildSchema(CRM + SERVED);
/** What the second subgraph adds to an object of HelpBot. */
function extended({ __typename, id }) {
  if (__typename === 'Site') return { __typename, id, customerNumber: `C-${id.slice(-4)}` };
  return { __typename, id, ticket: tickets.find((ticket) => ticket.conversation.id === id) ?? null };
}
const root = {
  tickets: { tickets, pageInfo: { hasNextPage: false, hasPreviousPage: false } },
  _entities: ({ representations }) => representations.map(extended),
};

/** Sends what the router needs of HelpBot with the key of the client. */
class HelpBotSource extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    request.http?.headers.set('authorization', `Bearer ${context.key}`);
  }
}
const gateway = new ApolloGateway({
  supergraphSdl: composed.supergraphSdl,
  buildService: ({ name, url }) =>
    name === 'helpbot'
      ? new HelpBotSource({ url })
      : {
          process: async ({ request }) =>
            executeDocument({ schema: crm, document: parse(request.query), rootValue: root, variableValues: request.variables }),
        },
});
const { executor } = await gateway.load();

/** Executes a query over both subgraphs. */
async function ofGraph(query, key) {
  const request = { query, variables: {} };
  const queryHash = createHash('sha256').update(query).digest('hex');
  return executor({ request, document: parse(query), queryHash, context: { key }, logger: console, metrics: {} });
}

const both = await ofGraph(
  `{
    site { id name customerNumber conversations(first: 100) { nodes { id ticket { number } } } }
    tickets { tickets { number conversation { id question outcome } } pageInfo { hasNextPage } }
  }`,
  apiKey,
);
check('a query over both subgraphs has no errors', !both.errors, JSON.stringify(both.errors));
check('the second subgraph extends the site', both.data?.site?.customerNumber === `C-${site.id.slice(-4)}` && both.data.site.name === site.name);
const listed = both.data?.site?.conversations?.nodes ?? [];
check('and each conversation of a list', listed.some((node) => node.id === conversationId && node.ticket?.number === 7) && listed.every((node) => node.id === conversationId || node.ticket === null));
const [known, unknown] = both.data?.tickets?.tickets ?? [];
check('HelpBot resolves a reference of the second subgraph', known?.conversation?.question === 'Does the ticket know its conversation?');
check('and returns null for an unknown one', unknown?.number === 8 && unknown.conversation === null, JSON.stringify(unknown));

const widgetKey = process.env.HELPBOT_TEST_WIDGET_KEY;
if (widgetKey) {
  const visitor = await ofGraph('{ tickets { tickets { number conversation { question } } } }', widgetKey);
  const seen = visitor.data?.tickets?.tickets ?? [];
  check('a widget key sees no conversation through the router', seen.length === 2 && seen.every((ticket) => ticket.conversation === null), JSON.stringify(visitor));
}
await gateway.stop();
