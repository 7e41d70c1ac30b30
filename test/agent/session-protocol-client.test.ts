// docs/session-protocol.md, requirement by requirement: what a client does when the test plays the server. The server's part
// is in session-protocol-server.test.ts.
import { describe, expect, it } from 'vitest';
import type { ClientSessionOptions } from '../../src/agent/client-options.js';
import { ClientSession } from '../../src/agent/client-session.js';
import type { Hello, Welcome } from '../../src/agent/control.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink } from '../support/fake-link.js';

const control = (message: object): string => `\u0001${JSON.stringify(message)}`;
const WELCOME: Welcome = {
  t: 'welcome',
  sid: 's1',
  tok: 'k1',
  gen: 1,
  resumed: false,
  recv: 0,
  epoch: 'e1',
  ttl: 1000,
  hb: { interval: 25_000, timeout: 20_000 },
  limits: { messages: 100, bytes: 1000 },
};

/** A client, which the test welcomes. */
class Client {
  readonly environment = new FakeEnvironment();
  readonly links: FakeLink[] = [];
  readonly session: ClientSession;

  constructor(options: ClientSessionOptions = {}) {
    const connect = (): FakeLink => {
      const link = new FakeLink();
      this.links.push(link);
      return link;
    };
    this.session = new ClientSession('ws://127.0.0.1', options, connect, this.environment);
  }

  /** The next connection, which is open. */
  async hello(): Promise<{ link: FakeLink; hello: Hello }> {
    this.environment.advance(20_000);
    await this.environment.settle();
    const link = this.links.at(-1)!;
    link.handler!.onOpen!();
    return { link, hello: link.takeSent()[0] as Hello };
  }

  async welcome(welcome: Partial<Welcome> = {}): Promise<{ link: FakeLink; hello: Hello }> {
    const { link, hello } = await this.hello();
    link.receive(control({ ...WELCOME, gen: hello.gen, ...welcome }));
    return { link, hello };
  }
}

describe('client', () => {
  it.each([
    ['[S-10] data before welcome', 'text'],
    ['[S-10] drain before welcome', control({ t: 'drain', in: 1 })],
    ['[S-12] welcome for another hello', control({ ...WELCOME, gen: 9 })],
    ['[S-15] resumed what was not asked for', control({ ...WELCOME, resumed: true })],
  ])('%s -> 4400, and it is over', async (_name, message) => {
    const client = new Client();
    const { link } = await client.hello();
    link.receive(message);
    expect([link.closeCode, client.session.state]).toEqual([4400, 'closed']);
  });

  it('[S-12] [S-19] [S-24] a drop -> gen one more, recv what was handed over, and what the server lacks', async () => {
    const client = new Client();
    const first = await client.welcome();
    const caps = { messages: 4096, bytes: 2 ** 20, ping: true };
    expect(first.hello).toEqual({ t: 'hello', v: 1, gen: 1, recv: 0, caps });
    for (const text of ['1', '2', '3']) client.session.send(text);
    first.link.receive('a');
    first.link.receive('b');
    await client.session[Symbol.asyncIterator]().next();
    first.link.end();
    const { link, hello } = await client.welcome({ resumed: true, recv: 2 });
    expect(hello).toEqual({ ...first.hello, gen: 2, recv: 1, sid: 's1', tok: 'k1' });
    expect(link.sent).toEqual(['3']);
  });

  it('[S-21] resumed with a recv that cannot be -> 4500, the session is lost, and a new one begins', async () => {
    const client = new Client();
    const lost: unknown[] = [];
    client.session.on('sessionlost', (loss) => lost.push(loss));
    (await client.welcome()).link.end();
    const { link } = await client.welcome({ resumed: true, recv: 1 });
    expect(link.closeCode).toBe(4500);
    expect(lost).toHaveLength(1);
    expect((await client.hello()).hello.sid).toBeUndefined();
  });

  it.each([
    [1000, 'closed'],
    [1001, 'reconnecting'],
    [1002, 'closed'],
    [1006, 'reconnecting'],
    [1009, 'closed'],
    [1012, 'reconnecting'],
    [4400, 'closed'],
    [4403, 'closed'],
    [4408, 'reconnecting'],
    [4409, 'closed'],
    [4499, 'closed'],
    [4500, 'reconnecting'],
  ])('[S-40] closed with %i -> %s', async (code, state) => {
    const client = new Client();
    (await client.welcome()).link.end({ code, reason: '' });
    expect(client.session.state).toBe(state);
  });
});
