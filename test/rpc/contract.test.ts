import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectSession } from '../../src/agent/index.js';
import { defineContract, type SchemaContract, schemasOf } from '../../src/rpc/contract.js';
import { RpcPeer } from '../../src/rpc/peer.js';

describe('defineContract', () => {
  it('takes schemas of any library, and methods without any -> the same object', () => {
    const contract = {
      add: { params: z.object({ a: z.number() }), result: v.number() },
      ticks: { params: v.object({ everyMs: v.number() }), items: z.string() },
      sum: { streams: { numbers: z.number() }, result: z.number() },
      log: {},
    };
    expect(defineContract(contract)).toBe(contract);
    // Whoever is handed a contract may define it again.
    expect(defineContract(contract)).toBe(contract);
  });

  it('the contract is frozen, down to the schemas', () => {
    const contract = defineContract({ sum: { streams: { numbers: z.number() } } });
    expect([contract, contract.sum, contract.sum.streams].every(Object.isFrozen)).toBe(true);
  });

  it.each([
    ['nothing', undefined, 'contract: an object of methods was expected'],
    ['null', null, 'contract: an object of methods was expected'],
    ['a list', [], 'contract: an object of methods was expected'],
    ['an empty name', { '': {} }, 'contract: the name of a method is empty'],
    [
      'a name of the protocol',
      { '$/next': {} },
      "contract: $/next: names that begin with $/ are the protocol's",
    ],
    ['a handler', { add: () => 1 }, 'contract: add: an object with schemas was expected'],
    ['null for a method', { add: null }, 'contract: add: an object with schemas was expected'],
    ['an unknown member', { add: { param: z.number() } }, 'contract: add.param: unknown member'],
    ['a schema for a method', { add: v.number() }, 'contract: add.kind: unknown member'],
    [
      'a type for a schema',
      { add: { result: Number } },
      'contract: add.result: a Standard Schema was expected',
    ],
    ['undefined', { add: { items: undefined } }, 'contract: add.items: a Standard Schema was expected'],
    [
      'one schema for all streams',
      { sum: { streams: [z.number()] } },
      'contract: sum.streams: an object of schemas was expected',
    ],
    [
      'a stream without a schema',
      { sum: { streams: { numbers: {} } } },
      'contract: sum.streams.numbers: a Standard Schema was expected',
    ],
    [
      'a result that is a value and a stream',
      { add: { result: z.number(), items: z.number() } },
      'contract: add: a result is either a value (result) or a stream (items)',
    ],
  ])('%s -> TypeError', (_name, contract, message) => {
    const define = () => defineContract(contract as unknown as SchemaContract);
    expect(define).toThrow(new TypeError(message));
  });
});

describe('schemasOf', () => {
  const contract = defineContract({ add: {}, toString: {} });

  it('a method of the contract, be it called like one of Object.prototype -> its schemas', () => {
    expect(schemasOf(contract, 'add')).toBe(contract.add);
    expect(schemasOf(contract, 'toString')).toBe(contract.toString);
  });

  it.each(['sub', 'constructor', 'hasOwnProperty', '__proto__'])('%s, which is none -> undefined', (name) => {
    expect(schemasOf(contract, name)).toBeUndefined();
  });
});

describe('a peer', () => {
  it.each(['remote', 'local'] as const)('%s is an object of handlers -> TypeError', async (option) => {
    await using session = connectSession('ws://127.0.0.1:1');
    const contract = { add: () => 1 } as unknown as SchemaContract;
    const message = 'contract: add: an object with schemas was expected';
    expect(() => new RpcPeer(session, { [option]: contract })).toThrow(new TypeError(message));
  });
});
