// graphql-ws: its server on a WebSocketServer whose options it changes while that is live, and its client on `ws`.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { GraphQLInt, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import WebSocket, { WebSocketServer } from 'ws';
import { exchange } from './exchange.mjs';

let subscriptionsEnded = 0;

async function* count(_root, { to }) {
  try {
    for (let n = 1; n <= to; n++) {
      yield { count: n };
      await setImmediate(); // Let the sockets have their turn: the other end lives in this process.
    }
  } finally {
    subscriptionsEnded++;
  }
}

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: 'Query',
    fields: {
      greeting: { type: GraphQLString, resolve: (_root, _args, context) => `hello ${context.extra.name}` },
      failing: {
        type: GraphQLString,
        resolve() {
          throw new Error('on purpose');
        },
      },
    },
  }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      count: {
        type: GraphQLInt,
        args: { to: { type: new GraphQLNonNull(GraphQLInt) } },
        subscribe: count,
      },
    },
  }),
});

await exchange(['graphql-ws'], async (done) => {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/graphql' });
  await once(wss, 'listening');
  const served = useServer(
    {
      schema,
      context: (context) => context,
      onConnect(context) {
        context.extra.name = context.connectionParams?.name;
        return context.connectionParams?.name !== 'nobody';
      },
    },
    wss,
  );
  const url = `ws://127.0.0.1:${wss.address().port}/graphql`;

  const client = createClient({ url, webSocketImpl: WebSocket, connectionParams: { name: 'Ann' } });
  const opened = new Promise((resolve) => client.on('connected', resolve));
  const results = async (query, variables) => {
    const all = [];
    for await (const result of client.iterate({ query, variables })) all.push(result);
    return all;
  };
  assert.deepEqual(await results('{ greeting }'), [{ data: { greeting: 'hello Ann' } }]);
  assert.equal((await opened).protocol, 'graphql-transport-ws');
  done('query and subprotocol');

  const counted = await results('subscription($to: Int!) { count(to: $to) }', { to: 500 });
  assert.deepEqual(
    counted.map(({ data }) => data.count),
    Array.from({ length: 500 }, (_, i) => i + 1),
  );
  done('subscription');

  const [failed] = await results('{ failing }');
  assert.equal(failed.errors[0].message, 'on purpose');
  done('error of a resolver');

  const endless = client.iterate({ query: 'subscription { count(to: 1000000000) }' });
  await endless.next();
  await endless.return();
  while (subscriptionsEnded < 2) assert.deepEqual((await results('{ greeting }')).length, 1);
  done('subscription stopped by the client');

  const refused = createClient({
    url,
    webSocketImpl: WebSocket,
    connectionParams: { name: 'nobody' },
    lazy: false,
    retryAttempts: 0,
    onNonLazyError() {},
  });
  const forbidden = await new Promise((resolve) => refused.on('closed', resolve));
  assert.deepEqual([forbidden.code, forbidden.reason], [4403, 'Forbidden']);
  const plain = new WebSocket(url);
  const [code, reason] = await once(plain, 'close');
  assert.deepEqual([code, String(reason)], [4406, 'Subprotocol not acceptable']);
  done('refused connections');

  const closed = new Promise((resolve) => client.on('closed', resolve));
  const live = client.iterate({ query: 'subscription { count(to: 1000000000) }' });
  await live.next();
  const stopped = live.return();
  await served.dispose();
  assert.equal((await closed).code, 1001);
  await stopped;
  await client.dispose();
  done('dispose');
});
