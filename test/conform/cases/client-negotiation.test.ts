import { describe, expect, it } from 'vitest';
import { CLIENT_NEGOTIATION_CASES } from '../../../src/conform/cases/client-negotiation.js';
import { hawserClient, judgeClient, notOk, rawClient } from './raw-peers.js';

const only = (pattern: RegExp) => CLIENT_NEGOTIATION_CASES.filter(({ id }) => pattern.test(id));
const idsOf = (pattern: RegExp): string[] => only(pattern).map(({ id }) => id);

describe('cases on the negotiation of a client', () => {
  it('hawser as the client -> OK, and what its offer leaves open is not judged', async () => {
    const results = await judgeClient(CLIENT_NEGOTIATION_CASES, hawserClient(['chat', 'superchat']));
    expect(notOk(results)).toEqual([
      'extension.client-refuses-larger-server-window',
      'extension.client-refuses-server-window-left-out',
      'extension.client-refuses-larger-client-window',
    ]);
    expect(results.map(({ behavior }) => behavior)).not.toContain('FAILED');
  }, 20_000);

  it('hawser that offers windows of 10 bits -> refuses larger ones', async () => {
    const perMessageDeflate = { serverMaxWindowBits: 10, clientMaxWindowBits: 10 };
    const results = await judgeClient(only(/client-refuses/), hawserClient([], { perMessageDeflate }));
    // It lives with what a server leaves out.
    expect(notOk(results)).toEqual(['extension.client-refuses-server-window-left-out']);
    expect(results.map(({ behavior }) => behavior)).not.toContain('FAILED');
  }, 20_000);

  it('hawser without permessage-deflate -> refuses every answer, and what needs it is UNIMPLEMENTED', async () => {
    const client = hawserClient([], { perMessageDeflate: false });
    const results = await judgeClient(only(/^extension/), client);
    expect(results.filter(({ behavior }) => behavior === 'FAILED')).toEqual([]);
    const missing = results.filter(({ behavior }) => behavior === 'UNIMPLEMENTED').map(({ id }) => id);
    expect(missing).toEqual(
      idsOf(/^extension.client-(?:accepts-(?!none)|refuses-(?!unoffered$|empty-field))/),
    );
  }, 20_000);

  it('a client that offers nothing and takes every answer -> FAILED for what was not offered, once', async () => {
    const request = (head: string): string => head.replace(/\r\nSec-WebSocket-Extensions.*/, '');
    const results = await judgeClient(only(/^extension.client-refuses/), rawClient({ request }));
    const verdicts = new Map(results.map(({ id, behavior }) => [id, behavior]));
    const wrong = ['extension.client-refuses-unoffered', 'extension.client-refuses-empty-field'];
    for (const id of wrong) expect(verdicts.get(id)).toBe('FAILED');
    for (const id of wrong) verdicts.delete(id);
    expect([...new Set(verdicts.values())]).toEqual(['UNIMPLEMENTED']);
  }, 20_000);

  it('a client that takes every answer -> each wrong one FAILED', async () => {
    const results = await judgeClient(only(/client-refuses/), rawClient());
    const failed = results.filter(({ behavior }) => behavior === 'FAILED').map(({ id }) => id);
    expect(failed).toEqual(idsOf(/client-refuses-(?!server-window-left-out)/));
    expect(notOk(results)).toEqual(idsOf(/client-refuses/));
  }, 20_000);

  it('a client that ends TCP at every answer -> each right one FAILED, but for a matter of whitespace', async () => {
    const request = (head: string): string =>
      head.replace('server_max_window_bits=10; client_max_window_bits=10', 'client_max_window_bits');
    const results = await judgeClient(only(/client-accepts/), rawClient({ takes: 'end', request }));
    expect(notOk(results)).toEqual(idsOf(/client-accepts/));
    const lenient = results.filter(({ behavior }) => behavior !== 'FAILED').map(({ id }) => id);
    expect(lenient).toEqual(['extension.client-accepts-whitespace-in-the-list']);
  }, 20_000);

  it.each([
    ['Protocol: chat, superchat', 'Protocol: chat, chat', 'subprotocol.client-offer'],
    ['Protocol: chat, superchat', 'Protocol: chat room', 'subprotocol.client-offer'],
    ['Protocol: chat, superchat', 'Protocol: ,', 'subprotocol.client-offer'],
    ['permessage-deflate;', 'permessage-deflate;;', 'extension.client-offer'],
    ['server_max_window_bits=10', 'server_max_window_bits', 'extension.client-deflate-offer'],
    ['client_max_window_bits=10', 'client_max_window_bits=08', 'extension.client-deflate-offer'],
    ['client_max_window_bits=10', 'client_max_window_bits=16', 'extension.client-deflate-offer'],
    ['client_max_window_bits=10', 'client_no_context_takeover=1', 'extension.client-deflate-offer'],
    ['client_max_window_bits=10', 'window=10', 'extension.client-deflate-offer'],
    [
      'client_max_window_bits=10',
      'client_max_window_bits; client_max_window_bits',
      'extension.client-deflate-offer',
    ],
  ])('a client that offers %s as "%s" -> %s FAILED alone', async (right, wrong, id) => {
    const client = rawClient({ request: (head) => head.replace(right, wrong) });
    expect(notOk(await judgeClient(only(/-offer$/), client))).toEqual([id]);
  });
});
