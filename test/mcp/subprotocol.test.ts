// A link that is the session's or nobody's, as the server decides.
import { describe, expect, it } from 'vitest';
import type { ConnectRequest, Link, LinkEnd } from '../../src/agent/link.js';
import { connectByChoice, PLAIN, RESUMING } from '../../src/mcp/subprotocol.js';
import { FakeLink } from '../support/fake-link.js';

function dial(subprotocol: string, isTaking: boolean) {
  const link = new FakeLink();
  link.subprotocol = subprotocol;
  const taken: Link[] = [];
  const connect = connectByChoice(
    () => link,
    (plain) => {
      if (isTaking) taken.push(plain);
      return isTaking;
    },
  );
  const undecided = connect({} as ConnectRequest);
  const log: unknown[] = [];
  undecided.handler = {
    onOpen: () => log.push('open'),
    onMessage: (data) => log.push(data),
    onDrain: () => log.push('drain'),
    onEnd: (end: LinkEnd) => log.push(end.code),
  };
  return { link, undecided, taken, log };
}

it('the resuming one: all that the link is', () => {
  const { link, undecided, taken, log } = dial(RESUMING, true);
  link.handler!.onOpen!();
  link.receive('a');
  link.handler!.onDrain!();
  undecided.send('b');
  link.bufferedAmount = 7;
  expect([log, link.sent, taken]).toEqual([['open', 'a', 'drain'], ['b'], []]);
  expect(undecided).toMatchObject({ subprotocol: RESUMING, bufferedAmount: 7, activity: 1 });
  undecided.ping!();
  undecided.close(1000, '');
  expect([link.pings, link.closeCode]).toEqual([1, 1000]);
  link.end({ code: 1000, reason: '' });
  expect(log.at(-1)).toBe(1000);
  undecided.release();
  expect(link.isReleased).toBe(true);
});

describe.each([PLAIN, ''])('the server picked "%s"', (subprotocol) => {
  it('taken: nothing that the session does reaches it, and nothing of it the session', () => {
    const { link, undecided, taken, log } = dial(subprotocol, true);
    link.handler!.onOpen!();
    expect(taken).toEqual([link]);
    undecided.send('hello');
    undecided.close(1000, '');
    undecided.release();
    expect([link.sent, link.closeCode, link.isReleased, log]).toEqual([[], undefined, false, []]);
    expect(undecided).toMatchObject({ subprotocol: '', bufferedAmount: 0, activity: 0 });
  });

  it('not taken: closed, and the attempt has failed for good', () => {
    const { link, log } = dial(subprotocol, false);
    link.handler!.onOpen!();
    expect([link.isReleased, log]).toEqual([true, [4400]]);
  });
});

it('a link that never opens ends', () => {
  const { link, log } = dial('', true);
  link.end();
  expect(log).toEqual([1006]);
});
