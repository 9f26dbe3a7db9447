// The peer of the fan-out benchmark: one subscription field whose events come from POST /publish. Every subscriber has its
// own iterator over one list of listeners, as in the recipes of graphql-ws.
import { GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const listeners = new Set();

/** The future events for one subscriber. */
function events() {
  const waiting = [];
  let wake;
  const listener = (event) => {
    waiting.push(event);
    wake?.();
  };
  listeners.add(listener);
  return {
    [Symbol.asyncIterator]() { return this; },
    async next() {
      while (waiting.length === 0) await new Promise((resolve) => { wake = resolve; });
      return { done: false, value: waiting.shift() };
    },
    async return() {
      listeners.delete(listener);
      return { done: true, value: undefined };
    },
  };
}

const text = { type: new GraphQLNonNull(GraphQLString) };
const Conversation = new GraphQLObjectType({ name: 'Conversation', fields: { id: text, question: text } });
const Event = new GraphQLObjectType({
  name: 'ConversationEvent',
  fields: { cursor: text, type: text, conversation: { type: Conversation } },
});
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { hello: text } }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: { conversationEvents: { type: Event, subscribe: events, resolve: (event) => event } },
  }),
});

let seq = 0;
const http = createServer((request, response) => {
  seq += 1;
  const conversation = { id: `conv_${seq}`, question: 'Is anybody there?' };
  for (const listener of listeners) listener({ cursor: `e1:${seq}`, type: 'CONVERSATION_CREATED', conversation });
  response.end('ok');
});
useServer({ schema }, new WebSocketServer({ server: http, path: '/graphql' }));
http.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
