// RFC 6455 §5.4: messages in fragments, and control frames between them.
import { describe, expect } from 'vitest';
import { both, Endpoint, eventsOf, exchange, expectFailure, fromPeer, ROLES } from '../support/engine.js';
import type { FrameFields } from '../support/frames.js';

function fragmentsOf(opcode: number, ...payloads: (string | Uint8Array)[]): FrameFields[] {
  const last = payloads.length - 1;
  return payloads.map((payload, i) => ({ opcode: i === 0 ? opcode : 0, fin: i === last, payload }));
}

describe('fragments that arrive', () => {
  both(
    '[RFC6455-5.4-9] [RFC6455-5.4-5] [RFC6455-5.4-2]',
    'receives messages whole and in fragments -> whole, in order',
    (role) => {
      const frames = [
        ...fragmentsOf(1, 'a', 'b', 'c'),
        ...fragmentsOf(2, Buffer.from([1]), Buffer.from([2, 3])),
        { opcode: 1, payload: 'whole' },
        ...fragmentsOf(1, 'last ', 'one'),
      ];
      expect(eventsOf(role, fromPeer(role, ...frames))).toEqual([
        ['text', 'abc'],
        ['binary', '010203'],
        ['text', 'whole'],
        ['text', 'last one'],
      ]);
    },
  );

  both('[RFC6455-5.4-8]', 'receives empty fragments -> they add nothing', (role) => {
    const frames = [...fragmentsOf(1, '', '', 'a', '', 'b', ''), ...fragmentsOf(2, '', '')];
    expect(eventsOf(role, fromPeer(role, ...frames))).toEqual([
      ['text', 'ab'],
      ['binary', ''],
    ]);
  });

  both(
    '[RFC6455-5.4-14]',
    'receives binary first and then continuations -> the type of the first frame',
    (role) => {
      expect(eventsOf(role, fromPeer(role, ...fragmentsOf(2, 'a', 'b')))).toEqual([['binary', '6162']]);
    },
  );

  both('[RFC6455-5.4-1]', 'the same message with other boundaries -> the same message', (role) => {
    const text = 'Käse, 東京, 😀';
    const whole = Buffer.from(text);
    for (let one = 0; one <= whole.length; one++) {
      for (const two of [one, Math.min(whole.length, one + 3), whole.length]) {
        const parts = [whole.subarray(0, one), whole.subarray(one, two), whole.subarray(two)];
        const endpoint = new Endpoint(role);
        endpoint.receive(fromPeer(role, ...fragmentsOf(1, ...parts)));
        expect(endpoint.events).toEqual([['text', text]]);
      }
    }
  });
});

describe('control frames between fragments', () => {
  both(
    '[RFC6455-5.4-7] [RFC6455-6.2-2]',
    'receives Ping and Pong between fragments -> handles them first, the Ping is answered',
    (role) => {
      const [a, b, c] = fragmentsOf(1, 'a', 'b', 'c') as [FrameFields, FrameFields, FrameFields];
      const bytes = fromPeer(role, a, { opcode: 9, payload: 'p' }, b, { opcode: 10, payload: 'q' }, c);
      expect(eventsOf(role, bytes)).toEqual([
        ['ping', '70'],
        ['pong', '71'],
        ['text', 'abc'],
      ]);
      const endpoint = new Endpoint(role);
      endpoint.receive(fromPeer(role, a, { opcode: 9, payload: 'p' }));
      expect(endpoint.takeFrames()).toMatchObject([{ opcode: 10, payload: Buffer.from('p') }]);
    },
  );

  both(
    '[RFC6455-5.4-7]',
    'receives Close between fragments -> the handshake is done, the message is dropped',
    (role) => {
      const bytes = fromPeer(role, { opcode: 1, fin: false, payload: 'a' }, { opcode: 8 }, { opcode: 0 });
      expect(eventsOf(role, bytes)).toEqual([['close', 1005, '']]);
    },
  );

  both('[RFC6455-5.4-3]', 'sends a Ping between its own fragments -> the peer gets both', (role) => {
    const one = new Endpoint(role);
    const other = new Endpoint(ROLES.find((peer) => peer !== role)!);
    one.send('a', { isFinal: false });
    one.connection.ping('p');
    one.send('b');
    exchange(one, other);
    expect(other.events).toEqual([
      ['ping', '70'],
      ['text', 'ab'],
    ]);
    expect(one.events).toEqual([['pong', '70']]);
  });

  for (const opcode of [8, 9, 10]) {
    both('[RFC6455-5.4-4]', `receives opcode ${opcode} without FIN -> fails with 1002`, (role) => {
      expectFailure(role, fromPeer(role, { opcode, fin: false }), 'WS_ERR_EXPECTED_FIN', 1002);
    });
  }
});

describe('fragments out of place', () => {
  for (const fin of [false, true]) {
    both(
      '[RFC6455-5.4-2]',
      `receives a continuation with nothing to continue, FIN ${fin} -> fails with 1002`,
      (role) => {
        expectFailure(role, fromPeer(role, { opcode: 0, fin }), 'WS_ERR_INVALID_OPCODE', 1002);
      },
    );

    both(
      '[RFC6455-5.4-2]',
      `receives a continuation after the final fragment, FIN ${fin} -> fails with 1002`,
      (role) => {
        const bytes = fromPeer(role, ...fragmentsOf(1, 'a', 'b'), { opcode: 0, fin, payload: 'c' });
        expectFailure(role, bytes, 'WS_ERR_INVALID_OPCODE', 1002, {}, [['text', 'ab']]);
      },
    );

    for (const opcode of [1, 2]) {
      both(
        '[RFC6455-5.4-6]',
        `receives opcode ${opcode} within a message, FIN ${fin} -> fails with 1002`,
        (role) => {
          const bytes = fromPeer(
            role,
            { opcode: 1, fin: false, payload: 'a' },
            { opcode, fin, payload: 'b' },
          );
          expectFailure(role, bytes, 'WS_ERR_INVALID_OPCODE', 1002);
        },
      );
    }
  }

  both('[RFC6455-5.4-2]', 'receives a continuation after a whole message -> fails with 1002', (role) => {
    const bytes = fromPeer(role, { opcode: 1, payload: 'a' }, { opcode: 0, payload: 'b' });
    expectFailure(role, bytes, 'WS_ERR_INVALID_OPCODE', 1002, {}, [['text', 'a']]);
  });

  both('[RFC6455-5.4-2]', 'receives a continuation after a Ping -> fails with 1002', (role) => {
    const bytes = fromPeer(role, { opcode: 9 }, { opcode: 0, payload: 'b' });
    expectFailure(role, bytes, 'WS_ERR_INVALID_OPCODE', 1002, {}, [['ping', '']]);
  });
});
