import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { agreementOf, DEFLATE_DEMANDS } from '../../src/conform/deflate-negotiation.js';
import {
  acceptAnswer,
  acceptOffer,
  DeflateCodec,
  deflateProfile,
} from '../../src/conform/deflate-session.js';

const TEXT = Buffer.from('a compressed message, a compressed message');
const CONTEXT = { windowBits: 15, noContextTakeover: false };
const SYMMETRIC = { tester: CONTEXT, peer: CONTEXT };

describe('the codec of a connection', () => {
  it('compresses what an ordinary inflater reads', () => {
    const codec = new DeflateCodec(SYMMETRIC);
    const payload = Buffer.concat([codec.deflate(TEXT), Uint8Array.of(0, 0, 0xff, 0xff)]);
    expect(inflateRawSync(payload, { finishFlush: 2 })).toEqual(TEXT);
    codec.close();
  });

  it('inflates what the codec of the other end has compressed, message by message with one context', () => {
    const [one, other] = [new DeflateCodec(SYMMETRIC), new DeflateCodec(SYMMETRIC)];
    const payloads = [one.deflate(TEXT), one.deflate(TEXT)];
    expect(payloads[1]!.length).toBeLessThan(payloads[0]!.length);
    for (const payload of payloads) expect(Buffer.from(other.inflate(payload))).toEqual(TEXT);
    one.close();
    other.close();
  });

  it('throws for what is not DEFLATE, and when it was closed', () => {
    const codec = new DeflateCodec(SYMMETRIC);
    expect(() => codec.inflate(Buffer.from('ffffffff', 'hex'))).toThrow();
    codec.close();
    expect(() => codec.deflate(TEXT)).toThrow('used after close()');
  });
});

describe('acceptAnswer', () => {
  it('[RFC7692-7.1.1.2-3] client tester, the answer demands no context -> each message compressed on its own', () => {
    const codec = acceptAnswer('permessage-deflate; client_no_context_takeover')!;
    expect(codec.deflate(TEXT)).toEqual(codec.deflate(TEXT));
    codec.close();
  });

  it('[RFC7692-7-2] client tester, an answer that breaks a rule -> an error that says which', () => {
    expect(() => acceptAnswer('permessage-deflate; server_max_window_bits=16')).toThrow(
      'server_max_window_bits is 16, not a number from 8 to 15',
    );
    expect(() => acceptAnswer('x-other')).toThrow('x-other');
  });
});

describe('acceptOffer', () => {
  const profile = deflateProfile(DEFLATE_DEMANDS['13.3']);

  it('server tester, an offer that leaves room for the demand -> answer and codec', () => {
    const accepted = acceptOffer('permessage-deflate; client_max_window_bits', profile)!;
    expect(accepted.answer).toBe('permessage-deflate; client_max_window_bits=9');
    accepted.codec.close();
  });

  it('server tester, no such offer -> no agreement', () => {
    expect(acceptOffer('permessage-deflate', profile)).toBeUndefined();
  });

  it('makes the same demands of a server', () => {
    expect(profile.offer).toContain('server_max_window_bits=9');
  });

  it('keeps to the window that the client asked of it', () => {
    const offer = 'permessage-deflate; server_max_window_bits=9; server_no_context_takeover';
    const { answer, codec } = acceptOffer(offer, deflateProfile(DEFLATE_DEMANDS['13.1']))!;
    expect(answer).toContain('server_max_window_bits=9');
    const repetitive = Buffer.concat([
      Buffer.from('unique start'),
      Buffer.alloc(1000),
      Buffer.from('unique start'),
    ]);
    const answered = { serverNoContextTakeover: true, clientNoContextTakeover: false };
    const bits = { serverMaxWindowBits: 9, clientMaxWindowBits: undefined };
    const client = new DeflateCodec(agreementOf({ ...answered, ...bits }, 'client'));
    expect(Buffer.from(client.inflate(codec.deflate(repetitive)))).toEqual(repetitive);
    codec.close();
    client.close();
  });
});
