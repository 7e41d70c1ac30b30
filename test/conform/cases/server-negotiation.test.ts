import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVER_NEGOTIATION_CASES } from '../../../src/conform/cases/server-negotiation.js';
import { judgeServer } from '../../../src/conform/server-judge.js';
import { WebSocketServer } from '../../../src/ws/websocket-server.js';
import { judgeScript, refusing, type Script, type ScriptedRequest, switching } from './scripted-server.js';

const shortId = (id: string) => id.replace('.server-', ':');
const byId = new Map(SERVER_NEGOTIATION_CASES.map((one) => [shortId(one.id), one]));
const withIds = (pattern: RegExp) => [...byId.keys()].filter((id) => pattern.test(id));

/** `behavior` by id, with `:` for the part that all ids share. */
async function judge(ids: readonly string[], script: Script): Promise<Record<string, string>> {
  const results = await judgeScript(
    ids.map((id) => byId.get(id)!),
    script,
  );
  return Object.fromEntries(results.map(({ id, behavior }) => [shortId(id), behavior]));
}

const all = (ids: readonly string[], behavior: string) => Object.fromEntries(ids.map((id) => [id, behavior]));

/** Accepts each request, with this for Sec-WebSocket-Protocol. */
const choosing =
  (choose: (offered: string[], request: ScriptedRequest) => string | readonly string[] | undefined) =>
  (request: ScriptedRequest): string =>
    switching(request, {
      'Sec-WebSocket-Protocol': choose(
        request.lines('sec-websocket-protocol').flatMap((line) => line.split(/[ \t]*,[ \t]*/)),
        request,
      ),
    });

/** Accepts each request, with this for Sec-WebSocket-Extensions. */
const answering =
  (answer: (offer: string) => string | readonly string[] | undefined) =>
  (request: ScriptedRequest): string =>
    switching(request, {
      'Sec-WebSocket-Extensions': answer(request.lines('sec-websocket-extensions').join(', ')),
    });

describe.each([true, false])('hawser with permessage-deflate %s', (perMessageDeflate) => {
  let server: WebSocketServer;
  beforeAll(async () => {
    server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate });
    server.on('connection', (socket) => {
      socket.on('message', (data: Buffer, isBinary: boolean) => socket.send(data, { binary: isBinary }));
    });
    await new Promise((resolve) => server.once('listening', resolve));
  });
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

  it(`every case about negotiation -> ${perMessageDeflate ? 'OK' : 'no FAILED, and nothing accepted'}`, async () => {
    const { port } = server.address() as AddressInfo;
    const url = new URL(`ws://127.0.0.1:${port}/`);
    const results = await judgeServer({ url, agent: 'hawser', cases: SERVER_NEGOTIATION_CASES });
    const others = results
      .filter(({ behavior }) => behavior !== 'OK')
      .map((one) => [shortId(one.id), one.behavior]);
    expect(results.every(({ behaviorClose }) => behaviorClose === 'OK')).toBe(true);
    // Without any extension hawser takes no notice of the header, and declines what is offered.
    const expected = perMessageDeflate
      ? []
      : results
          .map(({ id }) => shortId(id))
          .filter((id) => /^extension:(?:refuses|deflate-(?!declines))/.test(id))
          .map((id) => [id, id.includes('refuses') ? 'NON-STRICT' : 'UNIMPLEMENTED']);
    expect(others).toEqual(expected);
  });
});

describe('subprotocols', () => {
  const CHOICES = withIds(/^subprotocol:(?!refuses)/);
  const MALFORMED = withIds(/^subprotocol:refuses/);

  it('server chooses none -> OK', async () => {
    expect(await judge(CHOICES, { respond: choosing(() => undefined) })).toEqual(all(CHOICES, 'OK'));
  });

  it('[RFC6455-4.2.2-9] server chooses what was not offered -> FAILED', async () => {
    expect(await judge(CHOICES, { respond: choosing(() => 'other') })).toEqual(all(CHOICES, 'FAILED'));
  });

  it('[RFC6455-4.2.2-11] server answers with an empty name -> FAILED', async () => {
    expect(await judge(CHOICES, { respond: choosing(() => '') })).toEqual(all(CHOICES, 'FAILED'));
  });

  it('[RFC6455-11.3.4-2] server answers in two lines -> FAILED', async () => {
    const respond = choosing(([first = 'a']) => [first, first]);
    expect(await judge(CHOICES, { respond })).toEqual(all(CHOICES, 'FAILED'));
  });

  it('server answers with the whole offer -> FAILED where it is a list', async () => {
    const ids = ['subprotocol:several-offered', 'subprotocol:many-offered', 'subprotocol:one-offered'];
    expect(await judge(ids, { respond: choosing((offered) => offered.join(', ')) })).toEqual({
      ...all(ids, 'FAILED'),
      'subprotocol:one-offered': 'OK',
    });
  });

  it('server changes the case of what it chooses -> FAILED', async () => {
    const id = 'subprotocol:keeps-upper-and-lower-case';
    const respond = choosing(([first]) => first?.toLowerCase());
    expect(await judge([id], { respond })).toEqual({ [id]: 'FAILED' });
  });

  it('server reads an offer in one form only -> FAILED in the others', async () => {
    const ids = [
      'subprotocol:several-lines-are-one-list',
      'subprotocol:whitespace-around-commas',
      'subprotocol:no-whitespace-around-commas',
      'subprotocol:name-of-the-header-in-upper-case',
    ];
    const respond = choosing((offered, { text }) =>
      text.includes('Sec-WebSocket-Protocol: hawser-b.v2, hawser-a.v1\r\n') ? offered[0] : undefined,
    );
    expect(await judge(ids, { respond })).toEqual(all(ids, 'FAILED'));
  });

  it('server refuses offers -> NON-STRICT, OK where it may, FAILED without one', async () => {
    expect(await judge(CHOICES, { respond: () => refusing() })).toEqual({
      ...all(CHOICES, 'NON-STRICT'),
      'subprotocol:none-without-an-offer': 'FAILED',
      'subprotocol:the-same-offered-twice': 'OK',
      'subprotocol:empty-list-elements': 'OK',
    });
  });

  it('malformed offer, server refuses, ignores, takes what is no token -> OK, NON-STRICT, FAILED', async () => {
    expect(await judge(MALFORMED, { respond: () => refusing() })).toEqual(all(MALFORMED, 'OK'));
    const ignoring = choosing(() => undefined);
    expect(await judge(MALFORMED, { respond: ignoring })).toEqual(all(MALFORMED, 'NON-STRICT'));
    const taking = choosing((_, request) => request.lines('sec-websocket-protocol')[0]);
    expect(await judge(MALFORMED, { respond: taking })).toEqual(all(MALFORMED, 'FAILED'));
  });
});

describe('extensions', () => {
  const UNKNOWN = withIds(/^extension:(?:none|ignores)/);
  const MALFORMED = withIds(/^extension:refuses/);

  it('server uses none -> OK', async () => {
    expect(await judge(UNKNOWN, { respond: answering(() => undefined) })).toEqual(all(UNKNOWN, 'OK'));
  });

  it('[RFC6455-4.2.2-13] server uses what was not offered -> FAILED', async () => {
    const respond = answering(() => 'permessage-deflate');
    expect(await judge(UNKNOWN, { respond })).toEqual(all(UNKNOWN, 'FAILED'));
  });

  it('server refuses because of unknown extensions -> NON-STRICT, FAILED without an offer', async () => {
    expect(await judge(UNKNOWN, { respond: () => refusing() })).toEqual({
      ...all(UNKNOWN, 'NON-STRICT'),
      'extension:none-without-an-offer': 'FAILED',
    });
  });

  it('[RFC6455-9.1-1] malformed offer, server refuses, ignores, accepts -> OK, NON-STRICT, FAILED', async () => {
    expect(await judge(MALFORMED, { respond: () => refusing() })).toEqual(all(MALFORMED, 'OK'));
    const ignoring = answering(() => undefined);
    expect(await judge(MALFORMED, { respond: ignoring })).toEqual(all(MALFORMED, 'NON-STRICT'));
    const accepting = answering(() => 'permessage-deflate');
    expect(await judge(MALFORMED, { respond: accepting })).toEqual(all(MALFORMED, 'FAILED'));
  });

  it('[RFC7692-5-14] server sets RSV1 without an extension -> FAILED', async () => {
    const ids = withIds(/^extension:no-reserved-bits/);
    const onFrames = () => Buffer.from([0xc1, 1, 0x61]);
    expect(await judge(ids, { respond: answering(() => undefined), onFrames })).toEqual(all(ids, 'FAILED'));
    expect(await judge(ids, { respond: answering(() => undefined) })).toEqual(all(ids, 'OK'));
  });
});

describe('offers of permessage-deflate', () => {
  const NAME = 'permessage-deflate';
  const VALID = withIds(/^extension:deflate-(?!declines)/);
  const INVALID = withIds(/^extension:deflate-declines/);

  it('server declines all -> UNIMPLEMENTED, and OK where it has to', async () => {
    const respond = answering(() => undefined);
    expect(await judge([...VALID, ...INVALID], { respond })).toEqual({
      ...all(VALID, 'UNIMPLEMENTED'),
      ...all(INVALID, 'OK'),
    });
  });

  it('server refuses all -> NON-STRICT, and OK where it has to decline', async () => {
    expect(await judge([...VALID, ...INVALID], { respond: () => refusing() })).toEqual({
      ...all(VALID, 'NON-STRICT'),
      ...all(INVALID, 'OK'),
    });
  });

  it('server ends TCP -> FAILED, and NON-STRICT where it has to decline', async () => {
    expect(await judge([...VALID, ...INVALID], { respond: () => null })).toEqual({
      ...all(VALID, 'FAILED'),
      ...all(INVALID, 'NON-STRICT'),
    });
  });

  it('[RFC7692-7-1] server accepts whatever it is offered -> FAILED where it has to decline', async () => {
    expect(await judge(INVALID, { respond: answering(() => NAME) })).toEqual(all(INVALID, 'FAILED'));
    expect(await judge(INVALID, { respond: answering((offer) => offer) })).toEqual(all(INVALID, 'FAILED'));
  });

  it.each<[string, string, string, string | readonly string[]]>([
    ['plain-offer', 'OK', 'RFC7692-5-7', NAME],
    [
      'plain-offer',
      'OK',
      'RFC7692-7.1.1.1-4',
      `${NAME}; server_no_context_takeover; server_max_window_bits=9`,
    ],
    ['plain-offer', 'FAILED', 'RFC7692-7.1.2.2-6', `${NAME}; client_max_window_bits=15`],
    ['plain-offer', 'FAILED', 'RFC6455-4.2.2-12', 'permessage-bzip2'],
    ['plain-offer', 'FAILED', 'RFC7692-5-9', `${NAME}; no_such_parameter`],
    ['plain-offer', 'FAILED', 'RFC7692-5-10', `${NAME}, ${NAME}`],
    ['plain-offer', 'FAILED', 'RFC6455-11.3.2-2', [NAME, NAME]],
    ['plain-offer', 'FAILED', 'RFC6455-9.1-1', `${NAME};`],
    ['plain-offer', 'FAILED', 'RFC6455-9.1-1', ''],
    ['plain-offer', 'FAILED', 'RFC7692-7.1.1.1-2', `${NAME}; server_no_context_takeover=1`],
    ['plain-offer', 'FAILED', 'RFC7692-7.1.2.1-4', `${NAME}; server_max_window_bits=08`],
    ['client-window-without-value', 'OK', 'RFC7692-7.1.2.2-3', `${NAME}; client_max_window_bits=9`],
    ['client-window-without-value', 'FAILED', 'RFC7692-7.1.2.2-5', `${NAME}; client_max_window_bits`],
    ['client-window-without-value', 'FAILED', 'RFC7692-7.1.2.2-5', `${NAME}; client_max_window_bits=016`],
    ['client-window-is-at-most-offered', 'OK', 'RFC7692-7.1.2.2-4', `${NAME}; client_max_window_bits=8`],
    ['client-window-is-at-most-offered', 'FAILED', 'RFC7692-7.1.2.2-4', `${NAME}; client_max_window_bits=9`],
    ['server-window-is-at-most-asked', 'OK', 'RFC7692-7.1.2.1-3', `${NAME}; server_max_window_bits=8`],
    ['server-window-is-at-most-asked', 'FAILED', 'RFC7692-7.1.2.1-3', `${NAME}; server_max_window_bits=9`],
    ['server-window-is-at-most-asked', 'FAILED', 'RFC7692-7.1.2.1-3', NAME],
    ['server-no-context-takeover', 'FAILED', 'RFC7692-7.1.1.1-2', NAME],
    ['all-parameters', 'FAILED', 'RFC7692-5-9', `${NAME}; server_no_context_takeover`],
    ['one-answer-to-equal-offers', 'FAILED', 'RFC7692-5-10', `${NAME}, ${NAME}, ${NAME}`],
    ['behind-an-unknown-extension', 'FAILED', 'RFC6455-4.2.2-12', `x-hawser-unknown; a=b, ${NAME}`],
    ['falls-back-to-a-later-offer', 'FAILED', 'RFC7692-7-1', `${NAME}; no_such_parameter`],
    ['falls-back-from-an-invalid-value', 'FAILED', 'RFC7692-7-1', NAME],
    ['among-many-offers', 'FAILED', 'RFC7692-5-10', `${NAME}, ${NAME}`],
  ])('%s -> %s [%s]: server answers %j', async (name, behavior, _, answer) => {
    const id = `extension:deflate-${name}`;
    expect(await judge([id], { respond: answering(() => answer) })).toEqual({ [id]: behavior });
  });

  it('[RFC7692-7.1.1.1-3] server declines server_no_context_takeover alone -> NON-STRICT', async () => {
    const id = 'extension:deflate-server-no-context-takeover';
    const respond = answering((offer) => (offer === NAME ? NAME : undefined));
    expect(await judge([id], { respond })).toEqual({ [id]: 'NON-STRICT' });
  });

  it('[RFC7692-5-3] server takes the last of several offers -> NON-STRICT', async () => {
    const id = 'extension:deflate-first-supported-offer';
    const lastOf = (offer: string) => offer.split(', ').at(-1);
    expect(await judge([id], { respond: answering(lastOf) })).toEqual({ [id]: 'NON-STRICT' });
    const firstOf = (offer: string) => offer.split(', ')[0];
    expect(await judge([id], { respond: answering(firstOf) })).toEqual({ [id]: 'OK' });
  });

  it('server gives up at the first offer, or at an unknown extension -> NON-STRICT', async () => {
    const ids = ['falls-back-to-a-later-offer', 'behind-an-unknown-extension', 'in-a-second-line'].map(
      (name) => `extension:deflate-${name}`,
    );
    const respond = answering((offer) => (offer === NAME ? NAME : undefined));
    expect(await judge(ids, { respond })).toEqual(all(ids, 'NON-STRICT'));
  });

  it('[RFC6455-4.3-1] server does not read every form of an offer -> NON-STRICT; refuses it -> FAILED', async () => {
    const ids = [
      'quoted-value',
      'quoted-pair',
      'no-whitespace',
      'much-whitespace',
      'order-of-parameters',
    ].map((name) => `extension:deflate-${name}`);
    const answer = `${NAME}; server_max_window_bits=12`;
    const isUsual = (offer: string) =>
      /^permessage-deflate(?:; client_max_window_bits)?; server_max_window_bits=12$/.test(offer);
    const declining = answering((offer) => (isUsual(offer) ? answer : undefined));
    expect(await judge(ids, { respond: declining })).toEqual(all(ids, 'NON-STRICT'));
    const refusingOthers: Script['respond'] = (request) =>
      isUsual(request.lines('sec-websocket-extensions')[0]!) ? declining(request) : refusing();
    expect(await judge(ids, { respond: refusingOthers })).toEqual(all(ids, 'FAILED'));
  });
});
