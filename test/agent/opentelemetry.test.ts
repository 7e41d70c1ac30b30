// The recipe of docs/observability.md, against the real SDK of OpenTelemetry.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { context, diag, metrics, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { channels } from '../../src/agent/diagnostics.js';
import { connectSession, SessionServer } from '../../src/agent/index.js';

type Stop = () => void;
interface Recipe {
  traceConnections(): Stop;
  countEvents(): Stop;
  observeStats(prefix: string, source: { stats(): object }): Stop;
  sendTraced(session: { send(data: string): unknown }, message: object): unknown;
  handleTraced(name: string, message: object, handle: (message: object) => unknown): Promise<unknown>;
}

const root = join(__dirname, '../..');
const example = join(root, 'examples/opentelemetry.mjs');
let recipe: Recipe;

const spanExporter = new InMemorySpanExporter();
const tracing = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] });
tracing.register();
const spans = () => spanExporter.getFinishedSpans();

let metricExporter: InMemoryMetricExporter;
let reader: PeriodicExportingMetricReader;
let measuring: MeterProvider;
let stop: Stop = () => {};

beforeAll(async () => {
  recipe = await import(pathToFileURL(example).href);
});

beforeEach(() => {
  metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
  measuring = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(measuring);
});

afterEach(async () => {
  stop();
  stop = () => {};
  spanExporter.reset();
  metrics.disable();
  await measuring.shutdown();
});

afterAll(async () => {
  trace.disable();
  context.disable();
  propagation.disable();
  await tracing.shutdown();
});

/** What the instruments say now: name -> [attributes, value]. */
async function measured(): Promise<Record<string, [object, unknown][]>> {
  metricExporter.reset();
  await reader.forceFlush();
  const all = metricExporter.getMetrics()[0]?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
  return Object.fromEntries(
    all.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints.map(({ attributes, value }): [object, unknown] => [attributes, value]),
    ]),
  );
}

const newsOf = (sessionId: string) => ({ session: { sessionId }, sessionId, side: 'client' as const });

describe('traceConnections', () => {
  it('a session over two connections -> two spans, with what happened on each', () => {
    stop = recipe.traceConnections();
    const news = newsOf('s1');
    const failure = new Error('read ECONNRESET');
    channels.connect.publish({ ...news, generation: 1, isResumed: false });
    channels.slow.publish({ ...news, queuedMessages: 4096, queuedBytes: 9000, bufferedAmount: 70 });
    channels.close.publish({
      ...news,
      ...{ code: 1006, reason: '', isOver: false, unsent: 2, unacked: 3, error: failure },
    });
    channels.drop.publish({ ...news, reason: 'expired', key: undefined, bytes: 12 });
    channels.connect.publish({ ...news, generation: 2, isResumed: true });
    channels.resume.publish({ ...news, replayed: 3, detachedMs: 500 });
    channels.drop.publish({ ...news, reason: 'displaced', key: 'k', bytes: 20 });
    channels.close.publish({ ...news, code: 1000, reason: '', isOver: true, unsent: 0, unacked: 0 });
    expect(
      spans().map(({ kind, parentSpanContext, attributes, events, status }) => ({
        kind,
        parentSpanContext,
        attributes,
        events: events.map(({ name, attributes: details }) => [name, details?.replayed ?? details?.reason]),
        status,
      })),
    ).toEqual([
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'hawser.session.id': 's1',
          'hawser.generation': 1,
          'hawser.resumed': false,
          'hawser.close.code': 1006,
          'hawser.over': false,
          unsent: 2,
          unacked: 3,
        },
        events: [
          ['slow', undefined],
          ['exception', undefined],
        ],
        status: { code: SpanStatusCode.ERROR, message: 'read ECONNRESET' },
      },
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'hawser.session.id': 's1',
          'hawser.generation': 2,
          'hawser.resumed': true,
          'hawser.close.code': 1000,
          'hawser.over': true,
          unsent: 0,
          unacked: 0,
        },
        events: [
          ['resume', 3],
          ['drop', 'displaced'],
        ],
        status: { code: SpanStatusCode.UNSET },
      },
    ]);
  });

  it('a connection that is gone -> nothing is added to its span any more', () => {
    const warn = vi.fn();
    diag.setLogger({ warn, error: warn, info() {}, debug() {}, verbose() {} });
    stop = recipe.traceConnections();
    const news = newsOf('s1');
    channels.connect.publish({ ...news, generation: 1, isResumed: false });
    channels.close.publish({ ...news, code: 1006, reason: '', isOver: false, unsent: 0, unacked: 0 });
    channels.drop.publish({ ...news, reason: 'expired', key: undefined, bytes: 12 });
    channels.close.publish({ ...news, code: 1006, reason: '', isOver: true, unsent: 0, unacked: 0 });
    stop();
    diag.disable();
    expect(spans()).toHaveLength(1);
    expect(warn).not.toHaveBeenCalled();
  });

  it('a connection that another one replaces -> its span ends', () => {
    stop = recipe.traceConnections();
    channels.connect.publish({ ...newsOf('s1'), session: recipe, generation: 1, isResumed: false });
    channels.connect.publish({ ...newsOf('s1'), session: recipe, generation: 2, isResumed: true });
    expect(spans().map(({ attributes }) => attributes['hawser.generation'])).toEqual([1]);
  });

  it('stopped -> the span of a connection that is open ends, and nobody listens any more', () => {
    stop = recipe.traceConnections();
    channels.connect.publish({ ...newsOf('s1'), generation: 1, isResumed: false });
    expect(spans()).toHaveLength(0);
    stop();
    expect(spans()).toHaveLength(1);
    expect(Object.values(channels).map(({ hasSubscribers }) => hasSubscribers)).not.toContain(true);
  });
});

describe('countEvents', () => {
  it('counts by side and reason, never by session', async () => {
    stop = recipe.countEvents();
    for (const news of [newsOf('s1'), newsOf('s2')]) {
      channels.connect.publish({ ...news, generation: 1, isResumed: false });
      channels.close.publish({ ...news, code: 1006, reason: '', isOver: false, unsent: 0, unacked: 5 });
      channels.connect.publish({ ...news, generation: 2, isResumed: true });
      channels.resume.publish({ ...news, replayed: 5, detachedMs: 500 });
      channels.slow.publish({ ...news, queuedMessages: 4096, queuedBytes: 9000, bufferedAmount: 70 });
      channels.drop.publish({ ...news, reason: 'expired', key: undefined, bytes: 12 });
      channels.lost.publish({ ...news, unsent: 1, unacked: 2, reason: 'unknown' });
    }
    const { 'hawser.session.detached': detached, ...counters } = await measured();
    expect(counters).toEqual({
      'hawser.connections': [
        [{ side: 'client', resumed: false }, 2],
        [{ side: 'client', resumed: true }, 2],
      ],
      'hawser.closes': [[{ side: 'client', code: 1006, over: false }, 2]],
      'hawser.messages.replayed': [[{ side: 'client' }, 10]],
      'hawser.sessions.lost': [[{ side: 'client', reason: 'unknown' }, 2]],
      'hawser.messages.dropped': [[{ side: 'client', reason: 'expired' }, 2]],
      'hawser.sessions.slow': [[{ side: 'client' }, 2]],
    });
    expect(detached).toEqual([[{ side: 'client' }, expect.objectContaining({ count: 2, sum: 1 })]]);
  });
});

describe('observeStats', () => {
  it('each number of stats() is a gauge with its value now; stopped -> it is not asked any more', async () => {
    const stats = vi.fn(() => ({ sessions: 3, detached: 1, epoch: 'e1' }));
    stop = recipe.observeStats('hawser.server', { stats });
    for (const sessions of [7, 5]) {
      stats.mockReturnValue({ sessions, detached: 1, epoch: 'e1' });
      expect(await measured()).toEqual({
        'hawser.server.sessions': [[{}, sessions]],
        'hawser.server.detached': [[{}, 1]],
      });
    }
    stop();
    stats.mockClear();
    await measured();
    expect(stats).not.toHaveBeenCalled();
  });
});

describe('trace context', () => {
  it('what is handled is a child of what sent it; what stood in the message stays', async () => {
    const sent: string[] = [];
    const session = { send: (data: string) => sent.push(data) };
    const tracer = trace.getTracer('test');
    tracer.startActiveSpan('sender', (span) => {
      recipe.sendTraced(session, { tool: 'search', _meta: { priority: 1 } });
      span.end();
    });
    const message = JSON.parse(sent[0]!);
    expect(message).toEqual({
      tool: 'search',
      _meta: { priority: 1, traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/) },
    });
    // The answer goes out inside the handler: the trace goes on.
    const result = await recipe.handleTraced('search', message, async () => {
      recipe.sendTraced(session, { answer: 42 });
      return 'done';
    });
    expect(result).toBe('done');
    const [sender, handler] = spans();
    expect(handler!.parentSpanContext?.spanId).toBe(sender!.spanContext().spanId);
    expect(handler!.spanContext().traceId).toBe(sender!.spanContext().traceId);
    expect(JSON.parse(sent[1]!)._meta.traceparent).toContain(handler!.spanContext().spanId);
  });

  it('the handler fails -> so does its span', async () => {
    const fail = () => Promise.reject(new Error('no'));
    await expect(recipe.handleTraced('search', {}, fail)).rejects.toThrow('no');
    expect(
      spans().map(({ name, status, parentSpanContext }) => [name, status.code, parentSpanContext]),
    ).toEqual([['search', SpanStatusCode.ERROR, undefined]]);
  });
});

describe('with sessions over real connections', () => {
  it('a drop on the way -> two spans at either end, one trace from call to answer, gauges of the server', async () => {
    const sockets = new Set<Socket>();
    const http = createServer().on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const server = new SessionServer({ server: http });
    const stops = [
      recipe.traceConnections(),
      recipe.countEvents(),
      recipe.observeStats('hawser.server', server),
    ];
    stop = () => {
      for (const stopOne of stops) stopOne();
    };
    server.on('session', (served) => {
      served.on('message', (data) => {
        const message = JSON.parse(String(data));
        recipe.handleTraced('tool', message, () => recipe.sendTraced(served, { answer: message.tool }));
      });
    });
    const { port } = http.address() as AddressInfo;
    const session = connectSession(`ws://127.0.0.1:${port}`, { backoff: { baseMs: 1 } });
    await session.ready;
    for (const socket of sockets) socket.destroy();
    trace.getTracer('test').startActiveSpan('call', (span) => {
      recipe.sendTraced(session, { tool: 'search' });
      span.end();
    });
    const { value } = await session[Symbol.asyncIterator]().next();
    const numbers = await measured();
    const isOver = new Promise((resolve) => server.sessions[0]!.once('close', resolve));
    await session.close();
    await isOver;
    await server.close();
    http.close();

    const [call] = spans().filter(({ name }) => name === 'call');
    const [tool] = spans().filter(({ name }) => name === 'tool');
    expect(tool!.parentSpanContext?.spanId).toBe(call!.spanContext().spanId);
    expect(JSON.parse(String(value))).toEqual({
      answer: 'search',
      _meta: { traceparent: expect.stringContaining(tool!.spanContext().spanId) },
    });
    const connections = spans().filter(({ name }) => name === 'hawser connection');
    for (const kind of [SpanKind.CLIENT, SpanKind.SERVER]) {
      const ofOneEnd = connections.filter((span) => span.kind === kind);
      expect(ofOneEnd.map(({ attributes }) => attributes)).toEqual([
        expect.objectContaining({ 'hawser.resumed': false, 'hawser.close.code': 1006, 'hawser.over': false }),
        expect.objectContaining({ 'hawser.resumed': true, 'hawser.close.code': 1000, 'hawser.over': true }),
      ]);
    }
    expect(new Set(connections.map(({ attributes }) => attributes['hawser.session.id'])).size).toBe(1);
    expect(numbers).toMatchObject({
      'hawser.server.attached': [[{}, 1]],
      'hawser.server.resumed': [[{}, 1]],
      'hawser.connections': expect.arrayContaining([
        [{ side: 'client', resumed: true }, 1],
        [{ side: 'server', resumed: true }, 1],
      ]),
    });
  });
});

describe('docs/observability.md', () => {
  it('shows the code that was tested here', () => {
    const page = readFileSync(join(root, 'docs/observability.md'), 'utf8');
    const shown = [...page.matchAll(/^```js\n\/\/ examples\/opentelemetry\.mjs\n([\s\S]*?)^```$/gm)];
    expect(shown.length).toBeGreaterThan(0);
    const source = readFileSync(example, 'utf8');
    for (const [, code] of shown) expect(source).toContain(code);
  });
});
