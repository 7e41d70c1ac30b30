import { describe, expect, it } from 'vitest';
import type { ConformanceCase, Judgement } from '../../src/conform/case.js';
import { deflateProfile } from '../../src/conform/deflate-session.js';
import { compressedEchoes, largeEcho, roundTrips } from '../../src/conform/echo.js';
import { serializeFrame } from '../../src/conform/frame.js';
import { cycled } from '../../src/conform/payload.js';
import { binary, fragmented } from '../../src/conform/step.js';
import type { WireFrame } from '../support/frames.js';
import { upgradeRequest } from '../support/raw-peer.js';
import { StubConnection } from './stub-connection.js';

type Facts = Parameters<typeof largeEcho>[0];
const facts = (limitMs = 5000): Facts => ({ id: 'x', limitMs }) as Facts;

/** What a client under test sends for the nth frame that comes to it. */
type Answer = (
  frame: WireFrame,
  n: number,
) => { opcode: number; payload: Uint8Array; rsv?: number } | 'goes' | undefined;

const echo: Answer = ({ opcode, payload, rsv1 }) => ({ opcode, payload, rsv: rsv1 ? 4 : 0 });

function run(one: ConformanceCase, answer: Answer, extensions?: string): Promise<Judgement> {
  const connection = new StubConnection();
  const headers = { 'Sec-WebSocket-Extensions': extensions };
  connection.request = { head: Buffer.from(upgradeRequest({ headers })) };
  let n = 0;
  connection.onSent = (frame) =>
    queueMicrotask(() => {
      const answered = answer(frame, n++);
      if (answered === 'goes') connection.peerEnds();
      else if (answered !== undefined) connection.receive(serializeFrame(answered, 'server').bytes);
    });
  return one.run({
    subject: 'client',
    url: new URL('ws://127.0.0.1/'),
    log: connection.log,
    memory: { handshakeKeys: new Set() },
    connect: () => Promise.resolve(connection.asConnection),
  });
}

const expected = { type: 'binary', length: 100 } as const;
const large = largeEcho(facts(), binary(cycled('x', 100)), expected);
const many = roundTrips(facts(), 5, binary(cycled('x', 100)), expected);

describe('a large message', () => {
  it('that comes back is OK, and the tester closes', async () => {
    expect(await run(large, echo)).toMatchObject({
      behavior: 'OK',
      behaviorClose: 'OK',
      finding: expect.stringMatching(/^Everything came back\./),
      testerClose: { code: 1000 },
    });
  });

  it.each<[string, Answer, RegExp]>([
    [
      'comes back shorter',
      ({ opcode }) => ({ opcode, payload: Buffer.alloc(99) }),
      /99 bytes.*not binary of 100 bytes/,
    ],
    [
      'comes back as text',
      ({ opcode, payload }) => (opcode === 8 ? { opcode, payload } : { opcode: 1, payload }),
      /the peer sent text/,
    ],
    ['ends the connection', () => 'goes', /no echo came/],
    [
      'is answered by a broken rule',
      () => ({ opcode: 3, payload: Buffer.alloc(0) }),
      /no echo came.*opcode 3/s,
    ],
  ])('that %s has FAILED', async (_name, answer, finding) => {
    const judgement = await run(large, answer);
    expect(judgement.behavior).toBe('FAILED');
    expect(judgement.finding).toMatch(finding);
  });

  it('that does not come back in its time has FAILED', async () => {
    const judgement = await run(largeEcho(facts(5), binary('x'), expected), ({ opcode, payload }) =>
      opcode === 8 ? { opcode, payload } : undefined,
    );
    expect(judgement).toMatchObject({ behavior: 'FAILED', behaviorClose: 'OK', testerClose: { code: null } });
  });

  it('may come back in other fragments than it went out', async () => {
    const cut = largeEcho(facts(), fragmented(2, cycled('x', 100), 30), expected);
    const whole: Answer = ({ opcode, fin, payload }) => {
      if (opcode === 8) return { opcode, payload };
      return fin ? { opcode: 2, payload: Buffer.alloc(100) } : undefined;
    };
    expect(await run(cut, whole)).toMatchObject({ behavior: 'OK', behaviorClose: 'OK' });
  });

  it('has time for both handshakes beyond its own', () => {
    expect(large).toMatchObject({ limitMs: 25_000, isHeavy: true });
  });
});

describe('round trips', () => {
  it('are made one after another', async () => {
    let seen = 0;
    const judgement = await run(many, (frame, n) => {
      if (frame.opcode === 2) seen++;
      return echo(frame, n);
    });
    expect(judgement).toMatchObject({ behavior: 'OK', behaviorClose: 'OK' });
    expect(seen).toBe(5);
  });

  it('fail at the one that does', async () => {
    const judgement = await run(many, (frame, n) => (n === 2 ? 'goes' : echo(frame, n)));
    expect(judgement.behavior).toBe('FAILED');
    expect(judgement.finding).toMatch(/^Round trip 3 of 5: no echo came/);
  });
});

describe('compressed messages', () => {
  const profile = deflateProfile([{ noContextTakeover: false, windowBits: undefined }]);
  const contents = () => ['one', 'two', 'two'].map((text) => Buffer.from(text.repeat(50)));
  const compressed = compressedEchoes(facts(), {
    profile,
    name: 'words',
    type: 'text',
    contents,
    fragmentBytes: 0,
  });
  const plain = { opcode: 1, payload: Buffer.from('one'.repeat(50)) };

  it('are UNIMPLEMENTED where the client offers no compression', async () => {
    expect(await run(compressed, echo)).toMatchObject({ behavior: 'UNIMPLEMENTED', behaviorClose: 'OK' });
  });

  it('that come back as they were sent are OK', async () => {
    const judgement = await run(compressed, echo, 'permessage-deflate');
    expect(judgement).toMatchObject({ behavior: 'OK', behaviorClose: 'OK' });
  });

  it('may come back without compression', async () => {
    const texts = contents();
    const judgement = await run(
      compressed,
      (frame, n) => (frame.opcode === 8 ? echo(frame, n) : { opcode: 1, payload: texts[n]! }),
      'permessage-deflate',
    );
    expect(judgement.behavior).toBe('OK');
  });

  it('that come back changed have FAILED', async () => {
    const judgement = await run(
      compressed,
      (frame, n) => (frame.opcode === 8 ? echo(frame, n) : plain),
      'permessage-deflate',
    );
    expect(judgement.behavior).toBe('FAILED');
    expect(judgement.finding).toMatch(/^Message 2 came back changed\./);
  });
});
