// What must not compile, of contracts.
import { connectSession } from 'hawser/agent';
import { defineContract, RpcPeer } from 'hawser/rpc';
import { z } from 'zod';

interface Plain {
  add(params: { a: number; b: number }): number;
  ticks(params: { everyMs: number }): AsyncIterable<string>;
  sum(params: { numbers: AsyncIterable<number> }): number;
  now(): number;
  version: string;
}
const schemas = defineContract({
  add: { params: z.object({ a: z.number(), b: z.number() }), result: z.number() },
  ticks: { params: z.object({ everyMs: z.number() }), items: z.string() },
  sum: { params: z.object({ label: z.string() }), streams: { numbers: z.number() }, result: z.number() },
  now: { result: z.number() },
  log: { params: z.object({ line: z.string() }) },
});

const session = connectSession('wss://example.org');
const plain = new RpcPeer<Plain, Plain>(session);
const checked = new RpcPeer(session, { remote: schemas, local: schemas });
async function* words(): AsyncGenerator<string, void> {
  yield 'one';
}

// @ts-expect-error no such method
plain.call('subtract', { a: 1, b: 2 });
// @ts-expect-error no such method
checked.call('subtract', { a: 1, b: 2 });
// @ts-expect-error no method
plain.call('version');
// @ts-expect-error params are missing
plain.call('add');
// @ts-expect-error params are missing
checked.call('add');
// @ts-expect-error a member is missing
plain.call('add', { a: 1 });
// @ts-expect-error a member is missing
checked.call('add', { a: 1 });
// @ts-expect-error has no params
plain.call('now', { a: 1 });
// @ts-expect-error has no params
checked.call('now', { a: 1 });
// @ts-expect-error unknown option
plain.call('now', undefined, { timeout: 1000 });
// @ts-expect-error items are numbers
plain.call('sum', { numbers: words() });
// @ts-expect-error items are numbers
checked.call('sum', { label: 'x', numbers: words() });
// @ts-expect-error a stream, not a list
checked.call('sum', { label: 'x', numbers: [1] });
// @ts-expect-error params are missing
plain.notify('add');
// @ts-expect-error a notification has no options
plain.notify('now', undefined, { timeoutMs: 1000 });
// @ts-expect-error a number
export const plainText: Promise<string> = plain.call('add', { a: 1, b: 2 });
// @ts-expect-error a number
export const text: Promise<string> = checked.call('add', { a: 1, b: 2 });
// @ts-expect-error nothing is known of a result that the contract has not
export const line: Promise<string> = checked.call('log', { line: 'x' });
// @ts-expect-error a stream, not a list
plain.call('ticks', { everyMs: 1 }).then((ticks) => ticks.length);
// @ts-expect-error a stream, not a list
checked.call('ticks', { everyMs: 1 }).then((ticks) => ticks.length);

// @ts-expect-error a number is expected
plain.handle('add', ({ a }) => String(a));
// @ts-expect-error a number is expected
checked.handle('add', async ({ a }) => String(a));
// @ts-expect-error a stream is expected
plain.handle('ticks', () => ['a']);
// @ts-expect-error a stream is expected
checked.handle('ticks', () => 'a');
// @ts-expect-error items are strings
checked.handle('ticks', async function* () {
  yield 1;
});
// @ts-expect-error no such member
plain.handle('add', ({ c }) => c);
// @ts-expect-error no such member
checked.handle('sum', ({ words }) => 1);
// @ts-expect-error no such method
checked.handle('subtract', () => 1);
// @ts-expect-error no such method
new RpcPeer(session, { local: schemas, handlers: { subtract: () => 1 } });
// @ts-expect-error a number is expected
new RpcPeer(session, { local: schemas, handlers: { add: () => 'x' } });
// @ts-expect-error the schemas are those of another contract
new RpcPeer<Plain>(session, { remote: schemas });

// @ts-expect-error handlers are no contract
new RpcPeer(session, { local: { add: () => 1 } });

// @ts-expect-error no schema
defineContract({ add: { params: Number } });
// @ts-expect-error no member of a contract
defineContract({ add: { param: z.number() } });
// @ts-expect-error a handler is no contract
defineContract({ add: () => 1 });
// @ts-expect-error frozen
schemas.add = { params: z.object({ a: z.number(), b: z.number() }), result: z.number() };
// @ts-expect-error an open connection, or a session
new RpcPeer('wss://example.org');
