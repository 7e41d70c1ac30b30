import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MASKING_CASES } from '../../../src/conform/cases/masking.js';
import {
  hawserClient,
  judgeClient,
  judgeHawserServer,
  judgeRawServer,
  notOk,
  type RawClientOptions,
  rawClient,
} from './raw-peers.js';

const forClient = MASKING_CASES.filter(({ subjects }) => subjects.includes('client'));
const forServer = MASKING_CASES.filter(({ subjects }) => subjects.includes('server'));
const failing = (ids: readonly string[], options: RawClientOptions) => ({ ids, options });
const ALL_KEYS = [
  'client-fresh-keys',
  'client-fresh-keys-of-pongs',
  'client-keys-say-nothing-of-the-next',
  'client-keys-are-evenly-spread',
  'client-keys-are-not-math-random',
  'client-fresh-keys-on-each-connection',
];

function word(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

describe('cases on masking, client', () => {
  it('hawser -> all OK', async () => {
    expect(notOk(await judgeClient(forClient, hawserClient()))).toEqual([]);
  }, 20_000);

  const cases: Record<string, ReturnType<typeof failing>> = {
    'that masks well': failing([], {}),
    'that leaves out the mask of Pongs': failing(
      ['client-masks-empty-frames', 'client-masks-pongs', 'client-fresh-keys-of-pongs'],
      {
        maskOf: (_, opcode) => (opcode === 10 ? undefined : randomBytes(4)),
      },
    ),
    'that leaves out the mask of Close': failing(['client-masks-close'], {
      maskOf: (_, opcode) => (opcode === 8 ? undefined : randomBytes(4)),
    }),
    'that has one key for ever': failing(ALL_KEYS, { maskOf: () => word(0x12345678) }),
    'that counts up': failing(ALL_KEYS.slice(1), { maskOf: (n) => word(n + 0x12345678) }),
    'that makes keys of Math.random()': failing(['client-keys-are-not-math-random'], {
      maskOf: () => word(Math.random() * 0xffffffff),
    }),
    'that makes keys of digits': failing(
      [
        'client-fresh-keys',
        'client-fresh-keys-of-pongs',
        'client-keys-are-evenly-spread',
        'client-keys-are-not-math-random',
      ],
      { maskOf: () => randomBytes(4).map((byte) => 0x30 + (byte % 10)) },
    ),
  };
  it.each(Object.entries(cases))(
    'a client %s -> these rules are blamed, and no other',
    async (_, { ids, options }) => {
      const judged = forClient.filter(({ id }) => !/client-refuses/.test(id));
      // One at a time, as the order of connections matters to some.
      const found = new Set(notOk(await judgeClient(judged, rawClient(options))));
      expect([...found].sort()).toEqual(ids.map((id) => `masking.${id}`).sort());
    },
    20_000,
  );

  it('[RFC6455-5.1-1] a client that masks nothing -> every case on its frames FAILED', async () => {
    const judged = forClient.filter(({ id }) => /client-(?:masks|fresh|keys)/.test(id));
    const results = await judgeClient(judged, rawClient({ maskOf: () => undefined }));
    expect(notOk(results)).toEqual(judged.map(({ id }) => id));
  }, 20_000);

  it('[RFC6455-5.3-5] a client that masks with the key shifted -> echoes are wrong', async () => {
    const judged = forClient.filter(({ id }) => id === 'masking.every-length');
    expect(notOk(await judgeClient(judged, rawClient({ masksWrongly: true })))).toEqual([
      'masking.every-length',
    ]);
  }, 20_000);

  it('[RFC6455-5.1-5] a client that takes masked frames -> FAILED, one that refuses them -> OK', async () => {
    const judged = forClient.filter(({ id }) => /client-refuses/.test(id));
    const results = await judgeClient(judged, rawClient());
    expect(notOk(results)).toEqual(judged.map(({ id }) => id));
    expect(notOk(await judgeClient(judged, rawClient({ takesMasked: false })))).toEqual([]);
  }, 20_000);
});

describe('cases on masking, server', () => {
  it('hawser -> all OK', async () => {
    expect(notOk(await judgeHawserServer(forServer))).toEqual([]);
  }, 20_000);

  it('[RFC6455-5.1-2] a server that takes frames without a mask -> these cases FAILED, and no other', async () => {
    const results = await judgeRawServer(forServer, {});
    const expected = forServer.map(({ id }) => id).filter((id) => /server-refuses/.test(id));
    expect(notOk(results).filter((id) => id !== 'masking.server-unmasks-each-fragment')).toEqual(expected);
    expect(notOk(await judgeRawServer(forServer, { takesUnmasked: false }))).toEqual([]);
  }, 20_000);

  it('[RFC6455-5.1-4] a server that masks -> that case FAILED alone', async () => {
    const results = await judgeRawServer(forServer, { takesUnmasked: false, maskOf: () => randomBytes(4) });
    expect(notOk(results)).toEqual(['masking.server-masks-nothing']);
  }, 20_000);

  it('[RFC6455-5.3-5] a server that unmasks wrongly -> the cases on payloads FAILED', async () => {
    const results = await judgeRawServer(forServer, { takesUnmasked: false, unmasksWrongly: true });
    expect(notOk(results)).toEqual(
      expect.arrayContaining([
        'masking.every-length',
        'masking.server-unmasks-in-pieces',
        'masking.server-takes-any-key',
      ]),
    );
  }, 20_000);
});
