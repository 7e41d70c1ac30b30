// hawser's sessions in OpenTelemetry: a span for each connection, counters, gauges of `stats()`, and the trace context
// in messages. Needs `@opentelemetry/api`, and an SDK that the program has set up. docs/observability.md explains it.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  context,
  metrics,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

const ownTracer = () => trace.getTracer('hawser');
const ownMeter = () => metrics.getMeter('hawser');

/** Makes a span of each connection that carries a session. Returns a function that stops it. */
export function traceConnections(tracer = ownTracer()) {
  const spans = new Map();
  const addEvent = (name, attributesOf) => (message) =>
    spans.get(message.session)?.addEvent(name, attributesOf(message));
  const stop = listen({
    'hawser:connect': ({ session, sessionId, side, generation, isResumed }) => {
      // The former connection, when this one takes its place.
      spans.get(session)?.end();
      const span = tracer.startSpan('hawser connection', {
        root: true,
        kind: side === 'client' ? SpanKind.CLIENT : SpanKind.SERVER,
        attributes: {
          'hawser.session.id': sessionId,
          'hawser.generation': generation,
          'hawser.resumed': isResumed,
        },
      });
      spans.set(session, span);
    },
    'hawser:resume': addEvent('resume', ({ replayed, detachedMs }) => ({ replayed, detachedMs })),
    'hawser:slow': addEvent('slow', ({ queuedMessages, queuedBytes }) => ({ queuedMessages, queuedBytes })),
    'hawser:queue.drop': addEvent('drop', ({ reason, bytes }) => ({ reason, bytes })),
    'hawser:close': ({ session, code, isOver, unsent, unacked, error }) => {
      const span = spans.get(session);
      if (span === undefined) return;
      spans.delete(session);
      span.setAttributes({ 'hawser.close.code': code, 'hawser.over': isOver, unsent, unacked });
      if (error !== undefined) {
        span.recordException(error);
        span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
      }
      span.end();
    },
  });
  return () => {
    stop();
    for (const span of spans.values()) span.end();
  };
}

/** Counts what happens to sessions. Returns a function that stops it. */
export function countEvents(meter = ownMeter()) {
  const connections = meter.createCounter('hawser.connections');
  const closes = meter.createCounter('hawser.closes');
  const replayed = meter.createCounter('hawser.messages.replayed');
  const detached = meter.createHistogram('hawser.session.detached', { unit: 's' });
  const lost = meter.createCounter('hawser.sessions.lost');
  const dropped = meter.createCounter('hawser.messages.dropped');
  const slow = meter.createCounter('hawser.sessions.slow');
  return listen({
    'hawser:connect': ({ side, isResumed }) => connections.add(1, { side, resumed: isResumed }),
    'hawser:close': ({ side, code, isOver }) => closes.add(1, { side, code, over: isOver }),
    'hawser:resume': ({ side, ...message }) => {
      replayed.add(message.replayed, { side });
      detached.record(message.detachedMs / 1000, { side });
    },
    'hawser:session.lost': ({ side, reason }) => lost.add(1, { side, reason }),
    'hawser:queue.drop': ({ side, reason }) => dropped.add(1, { side, reason }),
    'hawser:slow': ({ side }) => slow.add(1, { side }),
  });
}

/** Makes a gauge of each number in `source.stats()`, for a server or a session. Returns a function that stops it. */
export function observeStats(prefix, source, meter = ownMeter()) {
  const gauges = Object.entries(source.stats())
    .filter(([, value]) => typeof value === 'number')
    .map(([name]) => [name, meter.createObservableGauge(`${prefix}.${name}`)]);
  const instruments = gauges.map(([, gauge]) => gauge);
  const observe = (result) => {
    const stats = source.stats();
    for (const [name, gauge] of gauges) result.observe(gauge, stats[name]);
  };
  meter.addBatchObservableCallback(observe, instruments);
  return () => meter.removeBatchObservableCallback(observe, instruments);
}

/** Sends an object as JSON, with the current trace context in `_meta` (W3C Trace Context: traceparent, tracestate). */
export function sendTraced(session, message, options) {
  const meta = { ...message._meta };
  propagation.inject(context.active(), meta);
  return session.send(JSON.stringify({ ...message, _meta: meta }), options);
}

/** Runs `handle` in a span below the sender's. From peers that you do not trust, link to their span instead. */
export function handleTraced(name, message, handle) {
  const parent = propagation.extract(ROOT_CONTEXT, message._meta ?? {});
  return ownTracer().startActiveSpan(name, { kind: SpanKind.CONSUMER }, parent, async (span) => {
    try {
      return await handle(message);
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}

function listen(listeners) {
  for (const [name, listener] of Object.entries(listeners)) subscribe(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) unsubscribe(name, listener);
  };
}
