// RFC 7692 §5 and §7: which offer is accepted, what the response says, and which response fails the connection.
// Headers are given and expected as they stand on the wire.
import { describe, expect, it } from 'vitest';
import {
  acceptOffers,
  buildOffer,
  checkResponse,
  type DeflateOptions,
  EXTENSION_NAME,
} from '../../src/protocol/permessage-deflate.js';
import { formatExtensions, parseExtensions } from '../../src/wire/extension-header.js';

/** The header of a server's response to a header. */
function respond(header: string, options: DeflateOptions = {}): string {
  const { params } = acceptOffers(parseExtensions(header)[EXTENSION_NAME] ?? [], options);
  return formatExtensions({ [EXTENSION_NAME]: params });
}

function offerOf(options: DeflateOptions): string {
  return formatExtensions({ [EXTENSION_NAME]: buildOffer(options) });
}

function agree(header: string, options: DeflateOptions = {}) {
  return checkResponse(parseExtensions(header)[EXTENSION_NAME] ?? [], options).agreed;
}

/** Parameters that §7 forbids in offers and responses alike. */
const FAULTY = [
  'foo',
  'foo=1',
  'Server_No_Context_Takeover',
  'server_no_context_takeover=true',
  'server_no_context_takeover="1"',
  'client_no_context_takeover=1',
  'server_max_window_bits',
  'server_max_window_bits=7',
  'server_max_window_bits=16',
  'server_max_window_bits=99',
  'server_max_window_bits=08',
  'server_max_window_bits=010',
  'server_max_window_bits=1e1',
  'server_max_window_bits=0xa',
  'server_max_window_bits=10.0',
  'server_max_window_bits=+10',
  'server_max_window_bits=-10',
  'server_max_window_bits="7"',
  'client_max_window_bits=7',
  'client_max_window_bits=16',
  'client_max_window_bits=08',
  'client_max_window_bits=a',
  'server_no_context_takeover; server_no_context_takeover',
  'client_no_context_takeover; client_no_context_takeover',
  'server_max_window_bits=10; server_max_window_bits=10',
  'client_max_window_bits=10; client_max_window_bits',
];

describe('RFC 7692 §5: offers', () => {
  it('[RFC7692-4-2] [RFC7692-5-1] [RFC7692-5-5] client, defaults -> name and what the server may choose', () => {
    expect(offerOf({})).toBe('permessage-deflate; client_max_window_bits');
  });

  it('[RFC7692-7.1.1.1-1] [RFC7692-7.1.1.2-1] [RFC7692-7.1.2.1-1] [RFC7692-7.1.2.2-1] client, all options -> all parameters', () => {
    expect(
      offerOf({
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
        serverMaxWindowBits: 10,
        clientMaxWindowBits: 11,
      }),
    ).toBe(
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11',
    );
  });

  it('[RFC7692-5-4] client, smaller window for what it receives -> the server is told and inflates within it', () => {
    expect(offerOf({ serverMaxWindowBits: 9 })).toContain('server_max_window_bits=9');
    expect(
      agree('permessage-deflate; server_max_window_bits=9', { serverMaxWindowBits: 9 }).serverMaxWindowBits,
    ).toBe(9);
  });
});

describe('RFC 7692 §5, §7: a server accepts', () => {
  it('[RFC7692-5-7] [RFC7692-4-2] server, plain offer -> plain response', () => {
    expect(respond('permessage-deflate')).toBe('permessage-deflate');
    expect(respond('permessage-deflate; client_max_window_bits')).toBe('permessage-deflate');
  });

  it('[RFC7692-5-2] [RFC7692-5-3] [RFC6455-9.1-8] server, several offers -> the first that it supports', () => {
    const header = 'permessage-deflate; server_max_window_bits=10, permessage-deflate';
    expect(respond(header)).toBe('permessage-deflate; server_max_window_bits=10');
    expect(respond(header, { serverMaxWindowBits: false })).toBe('permessage-deflate');
    expect(respond(header, { serverMaxWindowBits: 12 })).toBe(
      'permessage-deflate; server_max_window_bits=12',
    );
  });

  it('[RFC7692-5-10] server, several offers -> one is accepted, never two', () => {
    expect(parseExtensions(respond('permessage-deflate, permessage-deflate'))).toEqual({
      'permessage-deflate': [{}],
    });
  });

  it('[RFC7692-5-8] [RFC7692-5-9] server, all parameters -> says how each was taken', () => {
    const header =
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10';
    expect(respond(header)).toBe(header);
  });

  it('[RFC7692-5-6] server, a hint is not taken up -> it binds nobody: the largest window for what it receives', () => {
    const offers = parseExtensions('permessage-deflate; client_max_window_bits=9')[EXTENSION_NAME]!;
    const { agreed, params } = acceptOffers(offers, { clientMaxWindowBits: false });
    expect(params).toEqual({});
    expect(agreed.clientMaxWindowBits).toBe(15);
  });

  it.each(FAULTY)(
    '[RFC7692-7-1] [RFC6455-9.1-5] server, %s -> declines that offer and takes the next',
    (params) => {
      expect(respond(`permessage-deflate; ${params}, permessage-deflate; server_no_context_takeover`)).toBe(
        'permessage-deflate; server_no_context_takeover',
      );
    },
  );

  it.each(FAULTY)('[RFC7692-7-1] [RFC7692-5-14] server, nothing but %s -> accepts nothing', (params) => {
    expect(() => respond(`permessage-deflate; ${params}`)).toThrow(Error);
  });

  it('[RFC7692-7-1] server, a value in quotes -> the value', () => {
    expect(respond('permessage-deflate; server_max_window_bits="10"')).toBe(
      'permessage-deflate; server_max_window_bits=10',
    );
  });
});

describe('RFC 7692 §5, §7: a client judges the response', () => {
  it.each([...FAULTY, 'client_max_window_bits'])(
    '[RFC7692-7-2] [RFC6455-9.1-5] client, response with %s -> the connection fails',
    (params) => {
      expect(() => agree(`permessage-deflate; ${params}`)).toThrow(Error);
    },
  );

  it('[RFC7692-5-11] client, the extension accepted twice -> the connection fails', () => {
    expect(() => agree('permessage-deflate, permessage-deflate')).toThrow('once: 2');
  });

  it('[RFC7692-5-15] client, the extension is not among those accepted -> the connection fails', () => {
    expect(() => agree('permessage-foo')).toThrow('once: 0');
  });

  it('[RFC7692-5-16] client, valid response -> its parameters are what is agreed', () => {
    expect(
      agree(
        'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10',
      ),
    ).toEqual({
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 9,
      clientMaxWindowBits: 10,
    });
  });
});
