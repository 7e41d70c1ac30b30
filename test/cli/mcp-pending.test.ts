import { describe, expect, it } from 'vitest';
import { PendingRequests } from '../../src/cli/mcp-pending.js';
import type { JsonRpcMessage, RequestId } from '../../src/mcp/message.js';

const request = (id: RequestId, method = 'tools/call'): JsonRpcMessage => ({ jsonrpc: '2.0', id, method });
const answer = (id: RequestId): JsonRpcMessage => ({ jsonrpc: '2.0', id, result: {} });

describe('PendingRequests', () => {
  it('answered ones, in any order, and notifications -> none is left', async () => {
    const pending = new PendingRequests();
    for (const id of [1, '1', 2]) pending.asked(request(id));
    pending.asked({ jsonrpc: '2.0', method: 'notifications/initialized' });
    pending.answered(answer(2));
    pending.answered(answer('1'));
    pending.answered(answer('unknown'));
    expect(pending.fail('gone')).toEqual([
      { jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'gone' } },
    ]);
    expect(pending.fail('gone')).toEqual([]);
    await pending.none();
  });

  it('a request of the other side with the same id -> no answer', () => {
    const pending = new PendingRequests();
    pending.asked(request(1));
    pending.answered(request(1));
    expect(pending.fail('gone')).toHaveLength(1);
  });

  it('an answer to the other side -> no request', () => {
    const pending = new PendingRequests();
    pending.asked(answer(1));
    expect(pending.fail('gone')).toEqual([]);
  });

  it('cancelled -> will not be answered', () => {
    const pending = new PendingRequests();
    pending.asked(request(1));
    pending.asked({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    pending.asked({ jsonrpc: '2.0', method: 'notifications/cancelled' });
    expect(pending.fail('gone')).toEqual([]);
  });

  it('first -> resolves with the first request, and not before', async () => {
    const pending = new PendingRequests();
    const log: string[] = [];
    const first = pending.first.then(() => log.push('first'));
    pending.asked({ jsonrpc: '2.0', method: 'notifications/initialized' });
    await Promise.resolve();
    log.push('request');
    pending.asked(request(1));
    await first;
    expect(log).toEqual(['request', 'first']);
  });

  it('none() -> waits for the last answer', async () => {
    const pending = new PendingRequests();
    for (const id of [1, 2]) pending.asked(request(id));
    let isNone = false;
    const none = pending.none().then(() => {
      isNone = true;
    });
    pending.answered(answer(1));
    await Promise.resolve();
    expect(isNone).toBe(false);
    pending.answered(answer(2));
    await none;
  });

  it('a subscription, which is answered when it ends -> is not waited for, and fails with the others', async () => {
    const pending = new PendingRequests();
    pending.asked(request(1, 'subscriptions/listen'));
    await pending.none();
    expect(pending.fail('gone')).toHaveLength(1);
  });

  it('one of them fails -> the others wait on', () => {
    const pending = new PendingRequests();
    for (const id of [1, 2]) pending.asked(request(id));
    expect(pending.fail('too large', [1, 3])).toMatchObject([{ id: 1 }]);
    expect(pending.fail('gone')).toMatchObject([{ id: 2 }]);
  });
});
