import { describe, expect, it } from 'vitest';
import { RPC, RpcError } from '../../src/rpc/errors.js';
import { IncomingStream } from '../../src/rpc/incoming-stream.js';
import { readAll, rejection, rpcError } from '../support/rpc-stage.js';

const END = { done: true, value: undefined };
const item = (value: unknown) => ({ done: false, value });

/** Stream 3, and what it tells its owner. */
function setUp({ hasRoom = true } = {}) {
  const log: unknown[][] = [];
  const stage = { hasRoom };
  const stream = new IncomingStream(3, {
    grant(number, items, bytes, sender) {
      log.push(['grant', number, items, bytes]);
      if (stage.hasRoom) sender.onSent();
    },
    cancel: (...args) => log.push(['cancel', ...args]),
    onOver: (number) => log.push(['over', number]),
  });
  /** So many items in one message. */
  const receive = (count: number, length = 100) =>
    stream.receive(
      Array.from({ length: count }, (_, i) => i),
      length,
    );
  const read = async (count: number) => {
    for (let i = 0; i < count; i++) await stream.next();
  };
  return { stream, log, stage, receive, read, grants: () => log.filter(([name]) => name === 'grant') };
}

describe('reading', () => {
  it('items come in order, whether they were asked for before or after', async () => {
    const { stream } = setUp();
    const early = [stream.next(), stream.next(), stream.next()];
    stream.receive(['a', 'b'], 10);
    stream.receive(['c', 'd', undefined], 10);
    expect(await Promise.all(early)).toEqual([item('a'), item('b'), item('c')]);
    stream.end(undefined);
    expect([await stream.next(), await stream.next(), await stream.next()]).toEqual([
      item('d'),
      item(undefined),
      END,
    ]);
    expect(await stream.next()).toEqual(END);
  });

  it('the end -> all who wait have it', async () => {
    const { stream } = setUp();
    const waiting = [stream.next(), stream.next()];
    stream.end(undefined);
    stream.end(new Error('twice'));
    expect(await Promise.all(waiting)).toEqual([END, END]);
    expect(stream.isOver).toBe(true);
  });

  it('an error -> told once, behind the items before it; then the end', async () => {
    const { stream, receive } = setUp();
    receive(1);
    stream.end(new RpcError(5, 'failed'));
    expect(await stream.next()).toEqual(item(0));
    expect(await rejection(stream.next())).toEqual(rpcError(5, 'failed'));
    expect(await stream.next()).toEqual(END);
  });

  it('an error while several wait -> one has it, the others the end', async () => {
    const { stream } = setUp();
    const waiting = [stream.next(), stream.next()];
    stream.end(new Error('failed'));
    expect(await rejection(waiting[0]!)).toEqual(new Error('failed'));
    expect(await waiting[1]).toEqual(END);
  });

  it('for await -> all items', async () => {
    const { stream, receive } = setUp();
    receive(2);
    stream.end(undefined);
    expect(await readAll(stream)).toEqual([0, 1]);
  });
});

describe('ending it', () => {
  it('cancel -> the producer has to know; what has come is dropped, all who wait have the end', async () => {
    const { stream, log, receive } = setUp();
    receive(2);
    await stream.cancel('enough');
    expect(log).toEqual([
      ['cancel', 3, 'enough'],
      ['over', 3],
    ]);
    expect(await stream.next()).toEqual(END);
    await stream.cancel('again');
    expect(log).toHaveLength(2);
    const other = setUp().stream;
    const waiting = other.next();
    await other.cancel();
    expect(await waiting).toEqual(END);
  });

  it('cancel after the end -> the producer hears nothing, the reader has the end', async () => {
    const { stream, log, receive } = setUp();
    receive(2);
    stream.end(new Error('failed'));
    await stream.cancel();
    expect(await stream.next()).toEqual(END);
    expect(log).toEqual([['over', 3]]);
  });

  it.each<[string, (stream: IncomingStream) => Promise<unknown>]>([
    [
      'break',
      async (stream) => {
        for await (const _ of stream) break;
      },
    ],
    ['return', async (stream) => expect(await stream.return()).toEqual(END)],
    [
      'await using',
      async (stream) => {
        await using _ = stream;
      },
    ],
    [
      'throw',
      async (stream) => {
        const failing = async () => {
          for await (const _ of stream) throw new Error('mine');
        };
        expect(await rejection(failing())).toEqual(new Error('mine'));
      },
    ],
  ])('%s -> cancelled', async (_, leave) => {
    const { stream, log, receive } = setUp();
    receive(3);
    await leave(stream);
    expect(log).toEqual([
      ['cancel', 3, undefined],
      ['over', 3],
    ]);
    expect(await stream.next()).toEqual(END);
  });

  it('abandon -> the producer has to know, the reader has the error behind what has come', async () => {
    const { stream, log, receive } = setUp();
    receive(1);
    stream.abandon(new RpcError(RPC.CANCELLED, 'given up'));
    stream.abandon(new Error('twice'));
    expect(await stream.next()).toEqual(item(0));
    expect(await rejection(stream.next())).toEqual(rpcError(RPC.CANCELLED, 'given up'));
    expect(log).toEqual([
      ['cancel', 3, undefined],
      ['over', 3],
    ]);
  });

  it('the signal -> cancelled, what has come is dropped, the reader has the error', async () => {
    const { stream, log, receive } = setUp();
    const controller = new AbortController();
    stream.follow(controller.signal);
    receive(1);
    controller.abort('mine');
    expect(await rejection(stream.next())).toMatchObject({ code: RPC.CANCELLED, cause: 'mine' });
    expect(await stream.next()).toEqual(END);
    expect(log).toEqual([
      ['cancel', 3, 'aborted'],
      ['over', 3],
    ]);
  });

  it('a signal that is aborted already -> the same', async () => {
    const { stream, log } = setUp();
    stream.follow(AbortSignal.abort('mine'));
    expect(await rejection(stream.next())).toMatchObject({ code: RPC.CANCELLED, cause: 'mine' });
    expect(log).toHaveLength(2);
  });

  it('the signal after the end -> nothing', async () => {
    const { stream, log, receive } = setUp();
    const controller = new AbortController();
    stream.follow(controller.signal);
    receive(1);
    stream.end(undefined);
    controller.abort();
    expect(await readAll(stream)).toEqual([0]);
    expect(log).toEqual([['over', 3]]);
  });
});

describe('credit', () => {
  it('64 items, and not one more', () => {
    const { receive } = setUp();
    expect(receive(63)).toBe(true);
    expect(receive(2)).toBe(false);
    expect(receive(1)).toBe(true);
    expect(receive(1)).toBe(false);
  });

  it('262,144 code units, which one message may overdraw', () => {
    const { receive } = setUp();
    expect(receive(1, 262_143)).toBe(true);
    expect(receive(1, 300_000)).toBe(true);
    expect(receive(1, 1)).toBe(false);
    const exact = setUp();
    expect(exact.receive(1, 262_144)).toBe(true);
    expect(exact.receive(1, 1)).toBe(false);
  });

  it('32 items read -> as many are granted, with the bytes of the messages that are read', async () => {
    const { receive, read, grants, log } = setUp();
    receive(30, 1000);
    receive(34, 2000);
    await read(31);
    expect(log).toEqual([]);
    await read(1);
    expect(grants()).toEqual([['grant', 3, 32, 1000]]);
    await read(32);
    expect(grants()).toEqual([
      ['grant', 3, 32, 1000],
      ['grant', 3, 32, 2000],
    ]);
    expect(receive(64)).toBe(true);
    expect(receive(1)).toBe(false);
  });

  it('131,072 code units read -> granted, however few the items', async () => {
    const { receive, read, grants } = setUp();
    receive(1, 131_071);
    receive(2, 10);
    await read(2);
    expect(grants()).toEqual([]);
    await read(1);
    expect(grants()).toEqual([['grant', 3, 3, 131_081]]);
  });

  it('items that somebody waits for are read when they come', async () => {
    const { stream, receive, grants } = setUp();
    const waiting = Array.from({ length: 32 }, () => stream.next());
    receive(32);
    await Promise.all(waiting);
    expect(grants()).toEqual([['grant', 3, 32, 100]]);
  });

  it('nothing is granted for what is not read, nor after the end', async () => {
    const { stream, receive, read, grants } = setUp();
    receive(64);
    stream.end(undefined);
    await read(64);
    expect(grants()).toEqual([]);
  });

  it('a grant that has not left -> no other joins it, and who does not read it has no credit', async () => {
    const { stage, receive, read, grants } = setUp({ hasRoom: false });
    receive(64);
    await read(64);
    expect(grants()).toHaveLength(1);
    expect(receive(32)).toBe(true);
    await read(32);
    expect(grants()).toHaveLength(1);
    expect(receive(1)).toBe(false);
    stage.hasRoom = true;
  });

  it('a grant has left -> what was read meanwhile is granted at once', async () => {
    const { stream, stage, receive, read, grants } = setUp({ hasRoom: false });
    receive(64, 1000);
    await read(64);
    stage.hasRoom = true;
    stream.onSent();
    expect(grants()).toEqual([
      ['grant', 3, 32, 0],
      ['grant', 3, 32, 1000],
    ]);
    stream.onSent();
    expect(grants()).toHaveLength(2);
  });

  it('a grant leaves after the end -> nothing more', async () => {
    const { stream, receive, read, grants } = setUp({ hasRoom: false });
    receive(64);
    await read(64);
    await stream.cancel();
    stream.onSent();
    expect(grants()).toHaveLength(1);
  });
});
