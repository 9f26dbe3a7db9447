// A GraphQL server on Node.js over the same SQLite rows as HelpBot: mercurius with its just-in-time
// compiler and batched loaders. `compare.py` starts it as `node mercurius.mjs SITE_ID DATABASE PORT`.
import Database from "better-sqlite3";
import Fastify from "fastify";
import mercurius from "mercurius";

const [site, path, port] = process.argv.slice(2);
const db = new Database(path, { readonly: true });

const schema = `
  type Query { conversations(first: Int!): Connection! }
  type Connection { nodes: [Conversation!]! }
  type Conversation {
    id: ID!
    question: String!
    answer: String!
    isUnanswered: Boolean!
    createdAt: String!
    citations: [Citation!]!
    messages(first: Int!): Messages!
  }
  type Messages { nodes: [Message!]! }
  type Message { id: ID! author: String! text: String! createdAt: String! }
  type Citation { url: String title: String quote: String source: Source }
  type Source { id: ID! title: String status: String! }
`;

const newest = db.prepare(
  `select id, session_id sessionId, question, answer, citations, is_unanswered, created_at_ms
   from conversations where site_id = ? order by created_at_ms desc, id desc limit ?`,
);
const time = (row) => new Date(row.created_at_ms).toISOString();
const marks = (values) => values.map(() => "?").join();

const resolvers = {
  Query: { conversations: (_, { first }) => ({ nodes: newest.all(site, first) }) },
  Conversation: {
    isUnanswered: (row) => row.is_unanswered === 1,
    createdAt: time,
    citations: (row) => JSON.parse(row.citations),
  },
  Message: { createdAt: time },
};

// The question and the answer are the first two messages of a conversation; the rest is in a table.
function messagesOf(conversation, stored, first) {
  const message = (author, text) => ({
    id: conversation.id.replace("conv", "msg"),
    author,
    text,
    created_at_ms: conversation.created_at_ms,
  });
  const opening = [message("VISITOR", conversation.question), message("BOT", conversation.answer)];
  return { nodes: [...opening, ...stored].slice(0, first) };
}

function groupByConversation(rows) {
  const groups = new Map();
  for (const row of rows) {
    const group = groups.get(row.conversation_id);
    if (group) group.push(row);
    else groups.set(row.conversation_id, [row]);
  }
  return groups;
}

const loaders = {
  Conversation: {
    messages: {
      opts: { cache: false },
      async loader(queries) {
        const ids = queries.map((query) => query.obj.id);
        const rows = db
          .prepare(
            `select id, conversation_id, author, body text, created_at_ms from messages
             where site_id = ? and conversation_id in (${marks(ids)}) order by conversation_id, seq`,
          )
          .all(site, ...ids);
        const stored = groupByConversation(rows);
        return queries.map((query) => messagesOf(query.obj, stored.get(query.obj.id) ?? [], query.params.first));
      },
    },
  },
  Citation: {
    source: {
      opts: { cache: false },
      async loader(queries) {
        const ids = [...new Set(queries.map((query) => query.obj.source_id))];
        const rows = db
          .prepare(`select id, title, status from sources where site_id = ? and id in (${marks(ids)})`)
          .all(site, ...ids);
        const sources = new Map(rows.map((row) => [row.id, row]));
        return queries.map((query) => sources.get(query.obj.source_id) ?? null);
      },
    },
  },
};

const app = Fastify();
app.register(mercurius, { schema, resolvers, loaders, jit: 1 });
await app.listen({ port: Number(port), host: "127.0.0.1" });
