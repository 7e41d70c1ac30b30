// What a tester does in an exchange, as data: frames, how they share TCP writes, and pauses.

import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../wire/opcode.js';
import { closeFrame, type FrameSpec } from './frame.js';
import type { Payload } from './payload.js';

export type Step =
  /** One frame. Frames that follow each other leave in one TCP write, unless one is to be alone or chopped. */
  | { do: 'send'; frame: FrameSpec; isAlone?: boolean; chop?: number }
  /** A message in frames of `fragmentBytes`; an exact multiple ends with an empty frame. */
  | { do: 'send-fragmented'; opcode: number; payload: Payload; fragmentBytes: number }
  /** A frame's header alone; its payload follows in `body` steps, `bytes` of it each. */
  | { do: 'head'; frame: FrameSpec }
  | { do: 'body'; bytes: number }
  /** Any bytes. */
  | { do: 'bytes'; bytes: Uint8Array }
  /**
   * Waits. With a mark, the mark becomes an event behind the pause. What follows is sent only if no Close frame has gone
   * either way by then.
   */
  | { do: 'pause'; ms: number; mark?: string };

type FrameOptions = Omit<FrameSpec, 'opcode' | 'payload'>;

export function frame(opcode: number, payload: Payload = '', options: FrameOptions = {}): Step {
  return { do: 'send', frame: { opcode, payload, ...options } };
}

export const text = (payload: Payload, options?: FrameOptions): Step => frame(TEXT, payload, options);
export const binary = (payload: Payload, options?: FrameOptions): Step => frame(BINARY, payload, options);
export const ping = (payload: Payload = '', options?: FrameOptions): Step => frame(PING, payload, options);
export const pong = (payload: Payload = '', options?: FrameOptions): Step => frame(PONG, payload, options);
export const continuation = (payload: Payload, options?: FrameOptions): Step =>
  frame(CONTINUATION, payload, options);

/** A Close frame with any code, right or wrong; without one, with an empty payload. */
export function close(code?: number, reason: string | Uint8Array = ''): Step {
  return { do: 'send', frame: closeFrame(code, reason) };
}

/** A Close frame with any payload. */
export function closeWith(payload: Payload): Step {
  return frame(CLOSE, payload);
}

/** The same frame without FIN: more is to come. */
export function unfinished(step: Step): Step {
  return step.do === 'send' ? { ...step, frame: { ...step.frame, isFinal: false } } : step;
}

/** The same frame in TCP writes of `size` bytes. */
export function chopped(size: number, step: Step): Step {
  return step.do === 'send' ? { ...step, chop: size } : step;
}

/** The same frame in a TCP write of its own. */
export function alone(step: Step): Step {
  return step.do === 'send' ? { ...step, isAlone: true } : step;
}

export function fragmented(opcode: number, payload: Payload, fragmentBytes: number): Step {
  return { do: 'send-fragmented', opcode, payload, fragmentBytes };
}

export function pause(ms: number, mark?: string): Step {
  return mark === undefined ? { do: 'pause', ms } : { do: 'pause', ms, mark };
}

export function bytes(octets: Uint8Array): Step {
  return { do: 'bytes', bytes: octets };
}
