// Requests without a response, seen from one end.
import { expect, it } from 'vitest';
import { InFlight } from '../../src/mcp/in-flight.js';
import type { JsonRpcMessage } from '../../src/mcp/message.js';

const request = (id: string | number, method = 'tools/call'): JsonRpcMessage => ({
  jsonrpc: '2.0',
  id,
  method,
});
const response = (id: string | number): JsonRpcMessage => ({ jsonrpc: '2.0', id, result: {} });
const cancelled = (requestId: string | number): JsonRpcMessage => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId },
});

it.each([
  ['ours', 'sent', 'received'],
  ['theirs', 'received', 'sent'],
] as const)(
  '%s: from the request to the response, with the same id at both ends',
  (_whose, asks, answers) => {
    const inFlight = new InFlight();
    inFlight[asks](request(1));
    inFlight[asks](request('1'));
    // The same number, and another request.
    inFlight[answers](request(1));
    inFlight[answers](response(1));
    expect(inFlight.isIdle).toBe(false);
    inFlight[answers](response('1'));
    expect(inFlight.isIdle).toBe(false);
    inFlight[asks](response(1));
    expect(inFlight.isIdle).toBe(true);
  },
);

it.each(['sent', 'received'] as const)('%s and cancelled: no response follows', (asks) => {
  const inFlight = new InFlight();
  inFlight[asks](request(1));
  inFlight[asks](cancelled(2));
  expect(inFlight.isIdle).toBe(false);
  inFlight[asks](cancelled(1));
  expect(inFlight.isIdle).toBe(true);
});

it('only who asked can cancel', () => {
  const inFlight = new InFlight();
  inFlight.sent(request(1));
  inFlight.received(cancelled(1));
  expect(inFlight.isIdle).toBe(false);
});

it('notifications and subscriptions keep nobody waiting', () => {
  const inFlight = new InFlight();
  inFlight.received({ jsonrpc: '2.0', method: 'notifications/initialized' });
  inFlight.received({ jsonrpc: '2.0', method: 'notifications/cancelled' });
  inFlight.received(request(1, 'subscriptions/listen'));
  expect(inFlight.isIdle).toBe(true);
  // But they are there, and count.
  expect([inFlight.theirs, inFlight.isTheirs(1), inFlight.isTheirs('1')]).toEqual([1, true, false]);
});
