// Messages of the model: each says who it is, in as many ways as there are on the wire.
import type { Data } from '../../../src/agent/link.js';
import type { PayloadKind } from './scenario.js';

/** @param mayBeEmpty whether messages may look alike, because none of them can be dropped or lost */
export function payloadOf(
  { kind, size }: { kind: PayloadKind; size: number },
  n: number,
  mayBeEmpty: boolean,
): Data {
  const text = `${n}.`.padEnd(size, 'é');
  switch (kind) {
    case 'binary':
      return Buffer.from(text);
    case 'marked':
      return `\u0001${n % 2 === 0 ? '\u0001' : ''}{"t":"bye","n":"${text}"}`;
    case 'empty':
      return mayBeEmpty ? '' : text;
    default:
      return text;
  }
}

/** Which one it is; NaN for nothing, and for what is empty. */
export function numberOf(data: Data | undefined): number {
  const text = typeof data === 'string' ? data : Buffer.from(data ?? []).toString();
  return Number.parseInt(/\d+/.exec(text)?.[0] ?? '', 10);
}
