// One measurement: a server and a load generator in processes of their own, and a window in which the CPU
// time of the one is set against the messages that the other counted.
import { setTimeout as delay } from 'node:timers/promises';
import { caseNamed } from './cases.mjs';
import { Child } from './ipc.mjs';

/**
 * @typedef {object} Plan
 * @property {number} rounds
 * @property {number} seconds
 * @property {number} warmup
 * @property {{ connections: number | undefined, depth: number | undefined, ratePerSecond: number | undefined }} overrides
 * @property {boolean} needsAddons
 */

/** The overrides as the children take them. @param {Plan['overrides']} overrides */
function argumentsFor({ connections, depth, ratePerSecond }) {
  const args = [];
  if (connections !== undefined) args.push('--connections', `${connections}`);
  if (depth !== undefined) args.push('--depth', `${depth}`);
  if (ratePerSecond !== undefined) args.push('--rate', `${ratePerSecond}`);
  return args;
}

/** @param {Child} server @param {Child} load */
async function sampleBoth(server, load, question = 'sample') {
  const [ofServer, ofLoad] = await Promise.all([server.ask('sample'), load.ask(question)]);
  return { server: ofServer, load: ofLoad };
}

/**
 * @param {{ userUs: number, systemUs: number, atMs: number }} before
 * @param {{ userUs: number, systemUs: number, atMs: number }} after
 */
function used(before, after) {
  const wallMs = after.atMs - before.atMs;
  const userUs = after.userUs - before.userUs;
  const systemUs = after.systemUs - before.systemUs;
  return { wallMs, userUs, systemUs, cores: (userUs + systemUs) / 1000 / wallMs };
}

/**
 * Echo, latency, broadcast: warm up, measure a window, drain, verify.
 *
 * @param {Child} server
 * @param {Child} load
 * @param {Plan} plan
 */
async function measureMessages(server, load, plan) {
  await load.ask('verify');
  await load.ask('start');
  await delay(1000 * plan.warmup);
  const before = await sampleBoth(server, load, 'beginWindow');
  await delay(1000 * plan.seconds);
  const after = await sampleBoth(server, load, 'endWindow');
  const { latency, lateness } = await load.ask('finish');
  const ofServer = used(before.server, after.server);
  const ofLoad = used(before.load, after.load);
  const perSecond = (1000 * (after.load.messages - before.load.messages)) / ofLoad.wallMs;
  // Both processes were asked at almost the same time, not at the same: rates, not counts, are compared.
  const perMessage = 1000 / ofServer.wallMs / perSecond;
  const numbers = {
    cpuUs: (ofServer.userUs + ofServer.systemUs) * perMessage,
    userUs: ofServer.userUs * perMessage,
    systemUs: ofServer.systemUs * perMessage,
    perSecond,
    serverCores: ofServer.cores,
    generatorCores: ofLoad.cores,
    rssBytes: after.server.rss,
  };
  if (latency === undefined) return numbers;
  const { p50, p99, p999, max } = latency;
  return { ...numbers, p50, p99, p999, max, latenessP99: lateness.p99 };
}

/** Waits until the server has seen all connections go. @param {Child} server */
async function untilEmpty(server) {
  for (let i = 0; i < 1000; i++) {
    if ((await server.ask('sample')).connections === 0) return;
    await delay(10);
  }
  throw new Error('the server still counts connections that were closed');
}

/**
 * Batches of handshakes; closing the connections again is not counted.
 *
 * @param {Child} server
 * @param {Child} load
 * @param {Plan} plan
 * @param {{ port: number, count: number }} target
 */
async function measureHandshakes(server, load, plan, target) {
  const total = { cpuUs: 0, userUs: 0, systemUs: 0, wallMs: 0, loadUs: 0, handshakes: 0, rssBytes: 0 };
  const began = performance.now();
  for (let isWarm = false; total.wallMs < 1000 * plan.seconds; ) {
    const before = await sampleBoth(server, load);
    await load.ask('open', target);
    const after = await sampleBoth(server, load);
    await load.ask('close');
    await untilEmpty(server);
    isWarm ||= performance.now() - began > 1000 * plan.warmup;
    if (!isWarm) continue;
    const ofServer = used(before.server, after.server);
    const ofLoad = used(before.load, after.load);
    total.userUs += ofServer.userUs;
    total.systemUs += ofServer.systemUs;
    total.wallMs += ofServer.wallMs;
    total.loadUs += ofLoad.userUs + ofLoad.systemUs;
    total.handshakes += target.count;
    total.rssBytes = after.server.rss;
  }
  const { userUs, systemUs, handshakes, wallMs, loadUs, rssBytes } = total;
  return {
    cpuUs: (userUs + systemUs) / handshakes,
    userUs: userUs / handshakes,
    systemUs: systemUs / handshakes,
    perSecond: (1000 * handshakes) / wallMs,
    serverCores: (userUs + systemUs) / 1000 / wallMs,
    generatorCores: loadUs / 1000 / wallMs,
    rssBytes,
  };
}

/**
 * Memory with no connection and with all of them, collected garbage aside.
 *
 * @param {Child} server
 * @param {Child} load
 * @param {{ port: number, count: number }} target
 * @param {boolean} exchangesFirst
 */
async function measureIdle(server, load, target, exchangesFirst) {
  // What is loaded or compiled for the first connection is not memory per connection.
  await load.ask('open', { ...target, count: Math.min(50, target.count) });
  if (exchangesFirst) await load.ask('verify');
  await load.ask('close');
  await untilEmpty(server);
  const before = await server.ask('settledMemory');
  await load.ask('open', target);
  if (exchangesFirst) await load.ask('verify');
  const after = await server.ask('settledMemory');
  const each = (/** @type {'rss' | 'heapUsed' | 'external'} */ key) =>
    (after[key] - before[key]) / target.count;
  return {
    rssBytes: each('rss'),
    heapBytes: each('heapUsed'),
    externalBytes: each('external'),
    totalRssBytes: after.rss,
  };
}

/**
 * One library, one case, one turn, in processes of their own.
 *
 * @param {string} name
 * @param {string} lib
 * @param {Plan} plan
 */
export async function measure(name, lib, plan) {
  const spec = caseNamed(name, plan.overrides);
  const args = ['--case', name, ...argumentsFor(plan.overrides)];
  const server = new Child(
    `server (${lib}, ${name})`,
    new URL('server.mjs', import.meta.url),
    ['--lib', lib, ...args, ...(plan.needsAddons ? [] : ['--no-addons'])],
    spec.kind === 'idle' ? ['--expose-gc'] : [],
  );
  const load = new Child('load generator', new URL('load.mjs', import.meta.url), args);
  try {
    const { port, label, description } = await server.ask('describe');
    const target = { port, count: spec.connections };
    if (spec.kind === 'handshake') {
      return { label, description, numbers: await measureHandshakes(server, load, plan, target) };
    }
    if (spec.kind === 'idle') {
      return { label, description, numbers: await measureIdle(server, load, target, spec.exchangesFirst) };
    }
    await load.ask('open', target);
    return { label, description, numbers: await measureMessages(server, load, plan) };
  } finally {
    await Promise.all([server.kill(), load.kill()]);
  }
}
