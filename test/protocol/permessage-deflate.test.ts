import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as ws from 'ws';
import {
  acceptOffers,
  buildOffer,
  checkResponse,
  compressionThreshold,
  type DeflateOptions,
} from '../../src/protocol/permessage-deflate.js';
import type { ExtensionParams } from '../../src/wire/extension-header.js';

// @types/ws leave it out.
const { PerMessageDeflate: WsPerMessageDeflate } = ws as unknown as {
  PerMessageDeflate: new (options: object) => { offer(): object; accept(configurations: object[]): object };
};

/** What comes out, property order included, or the error's class and text. */
function outcome(action: () => unknown): string {
  try {
    return JSON.stringify(action());
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

/** `ws` changes the objects that it gets. */
function wsAccept(configurations: ExtensionParams[], options: DeflateOptions, isServer: boolean): string {
  const deflate = new WsPerMessageDeflate({ ...options, isServer });
  return outcome(() => deflate.accept(configurations.map((params) => ({ ...params }))));
}

const windowBits = fc.integer({ min: 8, max: 15 });
const options: fc.Arbitrary<DeflateOptions> = fc.record({
  serverNoContextTakeover: fc.constantFrom(undefined, true, false),
  clientNoContextTakeover: fc.constantFrom(undefined, true, false),
  serverMaxWindowBits: fc.oneof(fc.constantFrom(undefined, false), windowBits),
  clientMaxWindowBits: fc.oneof(fc.constantFrom(undefined, true, false), windowBits),
});
const flag = fc.constant<(string | true)[]>([true]);
const bits = windowBits.map((number): (string | true)[] => [String(number)]);
const validParams: fc.Arbitrary<ExtensionParams> = fc.record(
  {
    client_no_context_takeover: flag,
    client_max_window_bits: fc.oneof(flag, bits),
    server_max_window_bits: bits,
    server_no_context_takeover: flag,
  },
  { requiredKeys: [] },
);
const faultyParams: ExtensionParams[] = [
  { foo: [true] },
  { constructor: ['1'] },
  { server_max_window_bits: ['7'] },
  { server_max_window_bits: ['16'] },
  { server_max_window_bits: ['9.5'] },
  { server_max_window_bits: ['x'] },
  { server_max_window_bits: [true] },
  { server_max_window_bits: ['10', '10'] },
  { client_max_window_bits: ['7'] },
  { client_max_window_bits: ['-10'] },
  { client_max_window_bits: [true, true] },
  { server_no_context_takeover: ['true'] },
  { client_no_context_takeover: ['1'] },
  { client_no_context_takeover: [true, true] },
];

describe('buildOffer', () => {
  it.each<DeflateOptions>([
    {},
    { clientMaxWindowBits: true },
    { clientMaxWindowBits: false },
    { clientMaxWindowBits: 0 },
    { clientMaxWindowBits: 8 },
    { serverMaxWindowBits: 15, clientMaxWindowBits: 9 },
    { serverMaxWindowBits: false, serverNoContextTakeover: false },
    { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 10 },
  ])('client, options %j -> the offer of ws', (given) => {
    expect(JSON.stringify(buildOffer(given))).toBe(JSON.stringify(new WsPerMessageDeflate(given).offer()));
  });

  it('[RFC7692-7.1.2.1-2] client, window of the server without a number -> is not offered', () => {
    expect(buildOffer({ serverMaxWindowBits: true })).toEqual({ client_max_window_bits: true });
  });

  it.each([7, 16, 99, -10, 9.5, Number.NaN, Number.POSITIVE_INFINITY])(
    '[RFC7692-7.1.2.1-2] [RFC7692-7.1.2.2-2] either role, options with a window of %d bits -> RangeError',
    (number) => {
      expect(() => buildOffer({ serverMaxWindowBits: number })).toThrow(RangeError);
      expect(() => buildOffer({ clientMaxWindowBits: number })).toThrow(RangeError);
      expect(() => acceptOffers([{}], { serverMaxWindowBits: number })).toThrow(RangeError);
      expect(() => checkResponse([{}], { clientMaxWindowBits: number })).toThrow(RangeError);
    },
  );
});

describe('acceptOffers', () => {
  it('server, any options and valid offers -> the response of ws, or its error', () => {
    fc.assert(
      fc.property(options, fc.array(validParams, { minLength: 1, maxLength: 3 }), (given, offers) => {
        expect(outcome(() => acceptOffers(offers, given).params)).toBe(wsAccept(offers, given, true));
      }),
      { numRuns: 5000 },
    );
  });

  it.each(faultyParams)('server, nothing but the faulty offer %j -> the error of ws', (params) => {
    const error = outcome(() => acceptOffers([params], {}));
    expect(error).toBe(wsAccept([params], {}, true));
    expect(error).toMatch(/^(Type)?Error: /);
  });

  it.each(faultyParams)(
    '[RFC7692-7-1] server, faulty offer %j before a good one -> the good one',
    (params) => {
      const { params: response } = acceptOffers([params, { server_no_context_takeover: [true] }], {});
      expect(response).toEqual({ server_no_context_takeover: true });
    },
  );

  it('server, a fault, then an offer that does not fit -> the fault is reported', () => {
    const offers = [{ foo: [true] }, { server_max_window_bits: ['9'] }] satisfies ExtensionParams[];
    expect(() => acceptOffers(offers, { serverMaxWindowBits: 12 })).toThrow(
      new Error('Unknown parameter "foo"'),
    );
    expect(() => acceptOffers(offers.slice(1), { serverMaxWindowBits: 12 })).toThrow(
      new Error('None of the extension offers can be accepted'),
    );
  });

  it('server, no offer at all -> Error', () => {
    expect(() => acceptOffers([], {})).toThrow('None of the extension offers can be accepted');
  });

  it('server, an offer -> is left as it was', () => {
    const offer: ExtensionParams = Object.freeze({ client_max_window_bits: [true as const] });
    expect(acceptOffers([offer], { clientMaxWindowBits: 9 }).params).toEqual({ client_max_window_bits: 9 });
    expect(offer).toEqual({ client_max_window_bits: [true] });
  });
});

describe('checkResponse', () => {
  it('client, any options and a valid response within the offer -> what ws agrees to, or its error', () => {
    fc.assert(
      fc.property(options, validParams, (given, response) => {
        // STRICTER: the one thing that ws lets pass
        fc.pre(!(Number(response.server_max_window_bits?.[0]) > Number(given.serverMaxWindowBits || 15)));
        expect(outcome(() => checkResponse([response], given).params)).toBe(
          wsAccept([response], given, false),
        );
      }),
      { numRuns: 5000 },
    );
  });

  it.each([...faultyParams, { client_max_window_bits: [true as const] }])(
    '[RFC7692-7-2] client, faulty response %j -> the error of ws',
    (params) => {
      const error = outcome(() => checkResponse([params], {}));
      expect(error).toBe(wsAccept([params], {}, false));
      expect(error).toMatch(/^(Type)?Error: /);
    },
  );

  it('client, no offer of a window of its own and a response that sets one -> Error', () => {
    for (const clientMaxWindowBits of [false, 0]) {
      expect(() => checkResponse([{ client_max_window_bits: ['15'] }], { clientMaxWindowBits })).toThrow(
        'Unexpected or invalid parameter "client_max_window_bits"',
      );
    }
  });
});

describe('what is agreed', () => {
  it('either role, nothing said -> context is kept, windows of 32 KiB', () => {
    const agreed = {
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
      serverMaxWindowBits: 15,
      clientMaxWindowBits: 15,
    };
    expect(acceptOffers([{}], {}).agreed).toEqual(agreed);
    expect(checkResponse([{}], {}).agreed).toEqual(agreed);
  });

  it('both roles, any options on both sides -> they agree on the same, or the client keeps to less', () => {
    fc.assert(
      fc.property(options, options, (client, server) => {
        const toHeader = (params: object): ExtensionParams =>
          Object.fromEntries(
            Object.entries(params).map(([name, value]) => [name, [value === true ? true : String(value)]]),
          );
        const offer = toHeader(buildOffer(client));
        let accepted: ReturnType<typeof acceptOffers>;
        try {
          accepted = acceptOffers([offer], server);
        } catch {
          return;
        }
        const refuses = client.clientNoContextTakeover === false && accepted.agreed.clientNoContextTakeover;
        const responses = [toHeader(accepted.params)];
        if (refuses) {
          expect(() => checkResponse(responses, client)).toThrow('client_no_context_takeover');
          return;
        }
        const { agreed } = checkResponse(responses, client);
        const { clientMaxWindowBits, ...others } = accepted.agreed;
        expect(agreed).toMatchObject(others);
        expect(agreed.clientMaxWindowBits).toBeLessThanOrEqual(clientMaxWindowBits);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('compressionThreshold', () => {
  const agreed = { ...acceptOffers([{}], {}).agreed, serverNoContextTakeover: true };

  it('either role, context is kept -> every message is compressed', () => {
    expect(compressionThreshold(agreed, 'client', { threshold: 5000 })).toBe(0);
  });

  it('either role, no context is kept -> the option, 1024 unless set', () => {
    expect(compressionThreshold(agreed, 'server', {})).toBe(1024);
    expect(compressionThreshold(agreed, 'server', { threshold: 0 })).toBe(0);
    expect(compressionThreshold(agreed, 'server', { threshold: 5000 })).toBe(5000);
  });
});
