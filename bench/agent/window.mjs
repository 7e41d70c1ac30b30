// What two processes, a server and a client, need of CPU time for each message, over a stretch of time.
import { setTimeout as delay } from 'node:timers/promises';

/**
 * @param {import('../ipc.mjs').Child} server which answers `listen`, `beginWindow` and `sample`
 * @param {import('../ipc.mjs').Child} client which answers `ask`, `beginWindow` and `sample`, and counts messages
 * @param {{ seconds: number, warmup: number }} plan
 * @returns CPU times for each message, and by how much a number in the samples of an end grew, the server's (0) or the client's
 */
export async function measureWindow(server, client, { seconds, warmup }) {
  await client.ask('ask', { port: await server.ask('listen') });
  await delay(1000 * warmup);
  const before = await Promise.all([server.ask('beginWindow'), client.ask('beginWindow')]);
  await delay(1000 * seconds);
  const after = await Promise.all([server.ask('sample'), client.ask('sample')]);
  const difference = (/** @type {number} */ end, /** @type {string} */ key) =>
    after[end][key] - before[end][key];
  const messages = difference(1, 'messages');
  if (messages === 0) throw new Error('no message came');
  const cpuUs = (/** @type {number} */ end) =>
    (difference(end, 'userUs') + difference(end, 'systemUs')) / messages;
  const costs = {
    messages,
    serverUs: cpuUs(0),
    clientUs: cpuUs(1),
    perSecond: (1000 * messages) / difference(1, 'atMs'),
  };
  return { costs, difference };
}
