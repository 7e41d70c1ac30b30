import { describe, expect, it } from 'vitest';
import * as step from '../../src/conform/step.js';

describe('steps', () => {
  it('name the opcodes', () => {
    const opcodes = [
      step.continuation('x'),
      step.text('x'),
      step.binary('x'),
      step.close(),
      step.ping(),
      step.pong(),
    ];
    expect(opcodes.map((one) => one.do === 'send' && one.frame.opcode)).toEqual([0, 1, 2, 8, 9, 10]);
  });

  it('take what a frame can be told', () => {
    expect(step.text('x', { rsv: 4, isFinal: false })).toEqual({
      do: 'send',
      frame: { opcode: 1, payload: 'x', rsv: 4, isFinal: false },
    });
    expect(step.closeWith('x')).toMatchObject({ frame: { opcode: 8, payload: 'x' } });
  });

  it('are changed in one thing, and copied for that', () => {
    const one = step.text('x');
    expect(step.unfinished(one)).toEqual({ do: 'send', frame: { opcode: 1, payload: 'x', isFinal: false } });
    expect(step.chopped(1, one)).toEqual({ ...one, chop: 1 });
    expect(step.alone(one)).toEqual({ ...one, isAlone: true });
    expect(one).toEqual({ do: 'send', frame: { opcode: 1, payload: 'x' } });
  });

  it('that are no frames stay as they are', () => {
    const pause = step.pause(5);
    expect([step.unfinished(pause), step.chopped(1, pause), step.alone(pause)]).toEqual([
      pause,
      pause,
      pause,
    ]);
    expect(step.pause(5, 'A')).toEqual({ do: 'pause', ms: 5, mark: 'A' });
    expect(step.bytes(Uint8Array.of(1))).toEqual({ do: 'bytes', bytes: Uint8Array.of(1) });
    expect(step.fragmented(2, 'abc', 1)).toEqual({
      do: 'send-fragmented',
      opcode: 2,
      payload: 'abc',
      fragmentBytes: 1,
    });
  });
});
