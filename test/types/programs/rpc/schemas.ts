// Contracts as schemas, of two libraries: the peer knows all types from its options.
import { connectSession } from 'hawser/agent';
import {
  type CallParams,
  type CallResult,
  defineContract,
  type HandlerParams,
  type HandlerResult,
  type InferInput,
  type InferOutput,
  type MethodName,
  RpcPeer,
  type RpcStream,
  type SchemaContract,
  type StandardSchema,
} from 'hawser/rpc';
import * as v from 'valibot';
import { z } from 'zod';

const byHand: StandardSchema<string, URL> = {
  '~standard': { version: 1, vendor: 'us', validate: (value) => ({ value: new URL(String(value)) }) },
};

const tools = defineContract({
  add: { params: z.object({ a: z.number(), b: z.number().default(3) }), result: v.number() },
  ticks: {
    params: v.object({ everyMs: v.number() }),
    items: z.string().transform((text) => text.length),
  },
  sum: {
    params: z.object({ label: z.string() }),
    streams: { numbers: v.pipe(v.string(), v.transform(Number)) },
    result: z.string().transform(Number),
  },
  upload: { streams: { chunks: z.string() } },
  search: { params: z.object({ query: z.string() }).optional(), result: byHand },
  now: { result: z.number() },
  log: { params: z.object({ line: z.string() }) },
});
type Tools = typeof tools;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._: Same<A, B> extends true ? [] : [never]): void {}

same<InferInput<typeof byHand>, string>();
same<InferOutput<typeof byHand>, URL>();
same<MethodName<Tools>, 'add' | 'ticks' | 'sum' | 'upload' | 'search' | 'now' | 'log'>();
same<CallParams<Tools, 'add'>, { a: number; b?: number | undefined }>();
same<HandlerParams<Tools, 'add'>, { a: number; b: number }>();
same<CallParams<Tools, 'sum'>['numbers'], AsyncIterable<string>>();
same<HandlerParams<Tools, 'sum'>['numbers'], RpcStream<number>>();
same<HandlerParams<Tools, 'sum'>['label'], string>();
same<HandlerParams<Tools, 'now'>, undefined>();
same<CallResult<Tools, 'ticks'>, RpcStream<number>>();
same<HandlerResult<Tools, 'ticks'>, AsyncIterable<string> | Promise<AsyncIterable<string>>>();
same<CallResult<Tools, 'sum'>, number>();
same<HandlerResult<Tools, 'sum'>, string | Promise<string>>();
same<CallResult<Tools, 'log'>, void>();
same<HandlerResult<Tools, 'log'>, unknown>();

async function* digits(): AsyncGenerator<string, void> {
  yield '1';
}

const session = connectSession('wss://example.org');
const peer = new RpcPeer(session, {
  remote: tools,
  local: tools,
  handlers: {
    add: ({ a, b }, { signal }) => (signal.aborted ? 0 : a.valueOf() + b.valueOf()),
    async *ticks({ everyMs }) {
      yield everyMs.toFixed();
    },
    log: ({ line }) => line.length,
  },
});

export async function calls(): Promise<void> {
  const sum: number = await peer.call('add', { a: 1 }, { timeoutMs: 1000 });
  for await (const length of await peer.call('ticks', { everyMs: sum })) console.log(length.toFixed());
  const total: number = await peer.call('sum', { label: 'x', numbers: digits() });
  const url: URL = await peer.call('search');
  await peer.call('upload', { chunks: digits() });
  await peer.call('now', undefined, { timeoutMs: 1000 });
  await peer.notify('log', { line: `${url}: ${total}` });
}

peer
  .handle('sum', async ({ label, numbers }) => {
    let sum = label.length;
    for await (const number of numbers) sum += number;
    return String(sum);
  })
  .handle('search', (params) => params?.query ?? '');

// One kind of contract at each end.
interface Page {
  reload(): void;
}
export const mixed = new RpcPeer<Page, Tools>(session, { local: tools });
mixed.call('reload').then(() => mixed.handle('now', () => 5));

// Contracts that become known at run time.
export async function discovered(remote: SchemaContract): Promise<void> {
  const peer: RpcPeer<SchemaContract> = new RpcPeer(session, { remote });
  const result: unknown = await peer.call('whatever', { a: 1 }).catch(() => peer.call('other'));
  // @ts-expect-error nobody knows
  const known: number = await peer.call('whatever');
  console.log(result, known);
}
