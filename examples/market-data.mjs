// A feed that is faster than its reader. Prices are only good while they are fresh, so that what waits for a slow reader is
// replaced by the next price of the same symbol: the queue policy `conflate`. The reader misses prices, and is never behind.
//
//     node examples/market-data.mjs

import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { connectSession, SessionServer } from 'hawser/agent';

const SYMBOLS = ['AAA', 'BBB', 'CCC', 'DDD', 'EEE'];
const TICKS = 400;

// The feed: every 5 ms a new price for each symbol, whoever can keep up with that.

const http = createServer().listen(0, '127.0.0.1');
await once(http, 'listening');
const server = new SessionServer({ server: http, queue: { policy: 'conflate' } });
let published = 0;
let conflated = 0;
const latest = new Map();

server.on('session', async (session) => {
  session.on('drop', ({ reason }) => {
    if (reason === 'conflated') conflated++;
  });
  for (let tick = 1; tick <= TICKS; tick++) {
    for (const symbol of SYMBOLS) {
      const price = (latest.get(symbol)?.price ?? 100) + Math.round(Math.random() * 10 - 5) / 100;
      latest.set(symbol, { tick, price });
      // `key` says which of the prices that wait this one replaces. No `await`: the feed waits for nobody.
      session.send(JSON.stringify({ symbol, tick, price }), { key: symbol });
      published++;
    }
    await delay(5);
  }
  // What still waits goes out first.
  await session.close();
});

// The reader: takes 20 ms for each price, where a new one comes every millisecond. It has at most 4 prices on the way to
// it; what waits behind these waits at the feed, where it can be replaced.

const address = `ws://127.0.0.1:${http.address().port}`;
const session = connectSession(address, { queue: { maxMessages: 4 } });
const read = new Map();
let count = 0;
let isOrdered = true;
let oldest = 0;
for await (const message of session) {
  const { symbol, tick, price } = JSON.parse(message);
  if (tick <= (read.get(symbol)?.tick ?? 0)) isOrdered = false;
  oldest = Math.max(oldest, latest.get(symbol).tick - tick);
  read.set(symbol, { tick, price });
  count++;
  await delay(20);
}
await server.close();
http.close();

// Is the last price that was read the last that was published?

console.table(
  SYMBOLS.map((symbol) => ({
    symbol,
    published: latest.get(symbol).price.toFixed(2),
    read: read.get(symbol)?.price.toFixed(2),
  })),
);
const isCurrent = SYMBOLS.every((symbol) => read.get(symbol)?.tick === TICKS);
const isAccountedFor = count + conflated === published;
console.log(
  `${published} prices published, ${count} read, ${conflated} replaced by a newer one before they left`,
);
console.log(`no price that was read was more than ${oldest} ticks behind the feed`);
if (!isCurrent || !isOrdered || !isAccountedFor || conflated === 0) {
  console.error(`FAILED: ${JSON.stringify({ isCurrent, isOrdered, isAccountedFor, conflated })}`);
  process.exitCode = 1;
} else {
  console.log('every symbol ended with its latest price, and never went back in time');
}
