// One measurement: a server and a load generator in processes of their own, and a window in which the CPU
// time of the one is set against the messages that the other counted.
import { setTimeout as delay } from 'node:timers/promises';
import { caseArguments, caseNamed } from './cases.mjs';
import { Child } from './ipc.mjs';
import { bunProgram, whyNot } from './peers.mjs';

/**
 * @typedef {object} Plan
 * @property {number} rounds
 * @property {number} seconds
 * @property {number} warmup
 * @property {import('./cases.mjs').Overrides} overrides
 * @property {boolean} needsAddons
 */

/** Open files of a process besides the connections, with room to spare. */
const OTHER_FILES = 100;
/** A generator that has less than this of its core to spare held the server back, if that one had more. */
const BUSY = 0.93;
const IDLE = 0.85;

/** A peer that cannot do a case has not failed; `reason` says why not. */
export class DoesNotApply extends Error {
  /** @param {string} reason */
  constructor(reason) {
    super(reason);
    this.name = 'DoesNotApply';
  }
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

/** 1 where the generator, not the server, was at its limit: then the throughput is no property of the server. */
function isGeneratorBound(/** @type {number} */ serverCores, /** @type {number} */ generatorCores) {
  return generatorCores > BUSY && serverCores < IDLE ? 1 : 0;
}

/**
 * One exchange of which every byte is checked. A server is judged by what it sends back; a client, besides, looks
 * at what it received.
 *
 * @param {Child} server
 * @param {Child} load
 * @param {boolean} testsClient
 * @param {'verify' | 'finish'} question
 */
async function verified(server, load, testsClient, question) {
  if (!testsClient) return load.ask(question);
  await server.ask('verifying', { on: true });
  const value = await load.ask(question);
  await server.ask('verifying', { on: false });
  return value;
}

/**
 * Echo, latency, broadcast, client: warm up, measure a window, drain, verify.
 *
 * @param {Child} server
 * @param {Child} load
 * @param {Plan} plan
 * @param {import('./cases.mjs').Case} spec
 */
async function measureMessages(server, load, plan, { kind }) {
  await verified(server, load, kind === 'client', 'verify');
  await load.ask('start');
  await delay(1000 * plan.warmup);
  const before = await sampleBoth(server, load, 'beginWindow');
  await delay(1000 * plan.seconds);
  const after = await sampleBoth(server, load, 'endWindow');
  const { latency, lateness } = await verified(server, load, kind === 'client', 'finish');
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
    // In an open loop the generator spins, to be on time.
    generatorBound: kind === 'latency' ? 0 : isGeneratorBound(ofServer.cores, ofLoad.cores),
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
  const serverCores = (userUs + systemUs) / 1000 / wallMs;
  const generatorCores = loadUs / 1000 / wallMs;
  return {
    cpuUs: (userUs + systemUs) / handshakes,
    userUs: userUs / handshakes,
    systemUs: systemUs / handshakes,
    perSecond: (1000 * handshakes) / wallMs,
    serverCores,
    generatorCores,
    generatorBound: isGeneratorBound(serverCores, generatorCores),
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

/** @param {import('./cases.mjs').Case} spec */
function checkOpenFiles({ connections }) {
  // Node and Bun raise the soft limit to the hard one by themselves when they start.
  const limit = Number(/** @type {any} */ (process.report.getReport()).userLimits?.open_files?.hard);
  if (limit < connections + OTHER_FILES)
    throw new Error(
      `${connections} connections need more open files than the ${limit} allowed: raise ulimit -n`,
    );
}

/**
 * One library, one case, one turn, in processes of their own. Throws `DoesNotApply` where the library has not what
 * the case is about.
 *
 * @param {string} name
 * @param {string} lib
 * @param {Plan} plan
 */
export async function measure(name, lib, plan) {
  const spec = caseNamed(name, plan.overrides);
  const reason = whyNot(lib, spec);
  if (reason !== null) throw new DoesNotApply(reason);
  checkOpenFiles(spec);
  const testsClient = spec.kind === 'client';
  const args = caseArguments(name, plan.overrides);
  const isBun = lib === 'bun';
  const server = new Child(
    `${testsClient ? 'client' : 'server'} (${lib}, ${name})`,
    new URL(testsClient ? 'tested-client.mjs' : 'server.mjs', import.meta.url),
    ['--lib', lib, ...args, ...(plan.needsAddons ? [] : ['--no-addons'])],
    {
      execArgv: spec.kind === 'idle' && !isBun ? ['--expose-gc'] : [],
      ...(isBun ? { execPath: bunProgram() } : {}),
    },
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
    if (testsClient) await server.ask('connect', { port: await load.ask('listen'), count: spec.connections });
    else await load.ask('open', target);
    return { label, description, numbers: await measureMessages(server, load, plan, spec) };
  } finally {
    await Promise.all([server.kill(), load.kill()]);
  }
}
