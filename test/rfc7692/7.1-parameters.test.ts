// RFC 7692 §7.1: each of the four parameters, as offered, answered and judged.
import { describe, expect, it } from 'vitest';
import { acceptOffers, checkResponse, type DeflateOptions } from '../../src/protocol/permessage-deflate.js';
import type { ExtensionParams } from '../../src/wire/extension-header.js';

const BITS = [8, 9, 10, 11, 12, 13, 14, 15];
const flag: (string | true)[] = [true];

const respond = (offer: ExtensionParams, options: DeflateOptions = {}) =>
  acceptOffers([offer], options).params;
const judge = (response: ExtensionParams, options: DeflateOptions = {}) =>
  checkResponse([response], options).agreed;

describe('RFC 7692 §7.1.1.1: server_no_context_takeover', () => {
  it('[RFC7692-7.1.1.1-2] [RFC7692-7.1.1.1-3] server, offered -> included without a value', () => {
    expect(respond({ server_no_context_takeover: flag })).toEqual({ server_no_context_takeover: true });
  });

  it('[RFC7692-7.1.1.1-4] server, not offered but wanted -> included; client -> takes it', () => {
    expect(respond({}, { serverNoContextTakeover: true })).toEqual({ server_no_context_takeover: true });
    expect(judge({ server_no_context_takeover: flag }).serverNoContextTakeover).toBe(true);
  });

  it('server, offered and refused by option -> declined', () => {
    expect(() => respond({ server_no_context_takeover: flag }, { serverNoContextTakeover: false })).toThrow(
      'None of the extension offers can be accepted',
    );
  });

  it('client, offered and not confirmed -> goes on and keeps the context', () => {
    expect(judge({}, { serverNoContextTakeover: true }).serverNoContextTakeover).toBe(false);
  });
});

describe('RFC 7692 §7.1.1.2: client_no_context_takeover', () => {
  it('[RFC7692-7.1.1.2-2] server, offered or not -> may be included', () => {
    expect(respond({ client_no_context_takeover: flag })).toEqual({ client_no_context_takeover: true });
    expect(respond({}, { clientNoContextTakeover: true })).toEqual({ client_no_context_takeover: true });
    expect(respond({})).toEqual({});
  });

  it('[RFC7692-7.1.1.2-3] client, in the response, asked for or not -> supported', () => {
    expect(judge({ client_no_context_takeover: flag }).clientNoContextTakeover).toBe(true);
    expect(
      judge({ client_no_context_takeover: flag }, { clientNoContextTakeover: true }).clientNoContextTakeover,
    ).toBe(true);
  });
});

describe('RFC 7692 §7.1.2.1: server_max_window_bits', () => {
  it.each(BITS)(
    '[RFC7692-7.1.2.1-3] server, offer of %d -> the same, or by option a smaller one, or declined',
    (bits) => {
      const offer: ExtensionParams = { server_max_window_bits: [String(bits)] };
      expect(respond(offer)).toEqual({ server_max_window_bits: bits });
      for (const serverMaxWindowBits of BITS) {
        if (serverMaxWindowBits <= bits) {
          expect(respond(offer, { serverMaxWindowBits })).toEqual({
            server_max_window_bits: serverMaxWindowBits,
          });
        } else {
          expect(() => respond(offer, { serverMaxWindowBits })).toThrow();
        }
      }
    },
  );

  it.each(BITS)(
    '[RFC7692-7.1.2.1-3] [RFC7692-7.1.2.1-4] client, offer of %d -> more fails, the same or less is taken',
    (offered) => {
      for (const bits of BITS) {
        const action = () =>
          judge({ server_max_window_bits: [String(bits)] }, { serverMaxWindowBits: offered });
        if (bits > offered)
          expect(action).toThrow('Unexpected or invalid parameter "server_max_window_bits"');
        else expect(action().serverMaxWindowBits).toBe(bits);
      }
    },
  );

  it.each(BITS)(
    '[RFC7692-7.1.2.1-5] server, %d not offered but wanted -> included; client -> takes it',
    (bits) => {
      expect(respond({}, { serverMaxWindowBits: bits })).toEqual({ server_max_window_bits: bits });
      expect(judge({ server_max_window_bits: [String(bits)] }).serverMaxWindowBits).toBe(bits);
    },
  );

  it('client, offered and not confirmed -> goes on with the largest window', () => {
    expect(judge({}, { serverMaxWindowBits: 10 }).serverMaxWindowBits).toBe(15);
  });
});

describe('RFC 7692 §7.1.2.2: client_max_window_bits', () => {
  it('[RFC7692-7.1.2.2-1] [RFC7692-7.1.2.2-3] server, offer without value -> answered only where an option says how many', () => {
    expect(respond({ client_max_window_bits: flag })).toEqual({});
    expect(respond({ client_max_window_bits: flag }, { clientMaxWindowBits: 9 })).toEqual({
      client_max_window_bits: 9,
    });
  });

  it.each(BITS)('[RFC7692-7.1.2.2-4] server, offer of %d -> never answered with more', (bits) => {
    const offer: ExtensionParams = { client_max_window_bits: [String(bits)] };
    expect(respond(offer)).toEqual({ client_max_window_bits: bits });
    expect(respond(offer, { clientMaxWindowBits: false })).toEqual({});
    for (const clientMaxWindowBits of BITS) {
      if (clientMaxWindowBits <= bits) {
        expect(respond(offer, { clientMaxWindowBits })).toEqual({
          client_max_window_bits: clientMaxWindowBits,
        });
      } else {
        expect(() => respond(offer, { clientMaxWindowBits })).toThrow();
      }
    }
  });

  it.each(BITS)('[RFC7692-7.1.2.2-5] client, response of %d to an offer without value -> taken', (bits) => {
    expect(judge({ client_max_window_bits: [String(bits)] }).clientMaxWindowBits).toBe(bits);
  });

  it('[RFC7692-7.1.2.2-5] client, response without a value -> the connection fails', () => {
    expect(() => judge({ client_max_window_bits: flag })).toThrow(
      'Invalid value for parameter "client_max_window_bits": true',
    );
  });

  it('[RFC7692-7.1.2.2-6] server, not offered -> never in the response; client, did not offer it -> fails', () => {
    expect(respond({})).toEqual({});
    expect(() => respond({}, { clientMaxWindowBits: 12 })).toThrow();
    expect(() => judge({ client_max_window_bits: ['15'] }, { clientMaxWindowBits: false })).toThrow();
  });

  it('[RFC7692-7.2.1-13] [RFC7692-7.2.2-10] client, hint -> stays within it and within what was agreed', () => {
    expect(judge({}, { clientMaxWindowBits: 10 }).clientMaxWindowBits).toBe(10);
    expect(judge({ client_max_window_bits: ['9'] }, { clientMaxWindowBits: 10 }).clientMaxWindowBits).toBe(9);
    expect(() => judge({ client_max_window_bits: ['11'] }, { clientMaxWindowBits: 10 })).toThrow();
  });
});
