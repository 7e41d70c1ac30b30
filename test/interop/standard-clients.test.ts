// Clients with the interface of the WHATWG WebSockets Standard that are not hawser: undici's, and the one that Node
// itself has from version 22 on (test/interop/nodes.test.ts runs that one under each Node).
import { WebSocket as UndiciWebSocket } from 'undici';
import { describe, expect, it } from 'vitest';
import type { Package } from '../behaviour/implementations.js';
import { cast, urlOf } from '../support/cast.js';
import { next } from '../support/events.js';
import { LENGTHS, pattern, subject, subjectName, textOf } from './subject.js';

const CLIENTS: { title: string; Client: Package }[] = [
  { title: 'undici', Client: UndiciWebSocket },
  { title: "Node's global WebSocket", Client: (globalThis as Package).WebSocket },
];

const COMPRESSIONS = {
  'no extension': false,
  'context takeover': { threshold: 0 },
  'no context takeover': { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true },
};

function event(target: EventTarget, type: string): Promise<Package> {
  return new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
}

for (const { title, Client } of CLIENTS) {
  describe.runIf(Client)(`${subjectName} as server, ${title} as client`, () => {
    const { server, atEnd } = cast(subject);

    async function connected(options: object, protocols: string[] = []) {
      const wss = await server(options);
      const connection = next(wss, 'connection');
      const client = new Client(urlOf(wss), protocols);
      client.binaryType = 'arraybuffer';
      atEnd(client, () => client.close());
      const [[socket]] = await Promise.all([connection, event(client, 'open')]);
      return { wss, client, socket: socket as Package };
    }

    it.each(Object.entries(COMPRESSIONS))(
      '%s, every length form echoed -> the same',
      async (_name, perMessageDeflate) => {
        const { client, socket } = await connected({ perMessageDeflate });
        socket.on('message', (data: Buffer, isBinary: boolean) => socket.send(data, { binary: isBinary }));
        expect(client.extensions.split(';')[0]).toBe(perMessageDeflate ? 'permessage-deflate' : '');
        for (const length of LENGTHS) {
          const binary = event(client, 'message');
          client.send(pattern(length));
          expect(Buffer.from((await binary).data).equals(pattern(length)), `${length} bytes`).toBe(true);
          const text = event(client, 'message');
          client.send(textOf(length));
          expect((await text).data === textOf(length), `${length} bytes of text`).toBe(true);
        }
      },
    );

    it('fragments and a ping between, with permessage-deflate -> one message', async () => {
      const { client, socket } = await connected({ perMessageDeflate: { threshold: 0 } });
      const message = event(client, 'message');
      const pong = next(socket, 'pong');
      const text = textOf(100_000);
      socket.send(text.slice(0, 50_000), { fin: false });
      socket.ping('between');
      socket.send(text.slice(50_000));
      expect((await message).data === text).toBe(true);
      expect(String((await pong)[0])).toBe('between');
    });

    it('subprotocol -> the one that the server chose', async () => {
      const handleProtocols = (offered: Set<string>) => [...offered].at(-1);
      const { client, socket } = await connected({ handleProtocols }, ['a', 'b']);
      expect([client.protocol, socket.protocol]).toEqual(['b', 'b']);
    });

    it('close of the server -> clean, with code and reason', async () => {
      const { client, socket } = await connected({});
      const closed = Promise.all([event(client, 'close'), next(socket, 'close')]);
      socket.close(4001, 'naïve');
      const [{ code, reason, wasClean }, [codeSeen]] = await closed;
      expect([code, reason, wasClean, codeSeen]).toEqual([4001, 'naïve', true, 4001]);
    });

    it('close of the client -> the server hears code and reason', async () => {
      const { client, socket } = await connected({});
      const closed = Promise.all([event(client, 'close'), next(socket, 'close')]);
      client.close(3000, 'bye ☃');
      const [{ wasClean }, [code, reason]] = await closed;
      expect([wasClean, code, String(reason)]).toEqual([true, 3000, 'bye ☃']);
    });

    it('terminate of the server -> 1006, not clean', async () => {
      const { client, socket } = await connected({});
      const closed = event(client, 'close');
      socket.terminate();
      const { code, wasClean } = await closed;
      expect([code, wasClean]).toEqual([1006, false]);
    });

    it('message above the limit of the server -> 1009', async () => {
      const { client, socket } = await connected({ maxPayload: 1000 });
      const errors: string[] = [];
      socket.on('error', (error: Package) => errors.push(error.code));
      const closed = event(client, 'close');
      client.send(new Uint8Array(1001));
      expect([(await closed).code, errors]).toEqual([1009, ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']]);
    });
  });
}
