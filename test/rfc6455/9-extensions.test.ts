// RFC 6455 §9, §4.2.2 and §11.3.2: which extensions stand in requests and responses, and which are in use then. What the
// parameters of permessage-deflate mean is tested in `rfc7692/`.
import { describe, expect, it } from 'vitest';
import { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import { cast, portOf } from '../support/cast.js';
import { next } from '../support/events.js';
import { acceptingResponse, exchange, upgradeRequest } from '../support/raw-peer.js';

const { client, rawClient, rawPair, rawServer, server } = cast(
  Object.assign(class extends WebSocket {}, { WebSocketServer }),
);

const FIELD = 'Sec-WebSocket-Extensions';
const fieldsIn = (lines: string[]) =>
  lines.filter((line) => line.toLowerCase().startsWith(FIELD.toLowerCase()));

describe('client', () => {
  it('[RFC6455-9-1] client, by default -> asks for permessage-deflate; without the option -> for nothing', async () => {
    const { peer } = await rawPair();
    expect(fieldsIn(peer.head.lines)).toEqual([`${FIELD}: permessage-deflate; client_max_window_bits`]);
    const { peer: other } = await rawPair({ perMessageDeflate: false });
    expect(fieldsIn(other.head.lines)).toEqual([]);
  });

  it('[RFC6455-9.1-6] client, what it asked for is not granted -> sends without RSV1, and takes none', async () => {
    const { socket, peer } = await rawPair({ perMessageDeflate: { threshold: 0 } });
    expect(fieldsIn(peer.head.lines)).toHaveLength(1);
    socket.send('a'.repeat(2000));
    expect(await peer.nextFrame()).toMatchObject({ opcode: 1, rsv1: false });
    const error = next(socket, 'error');
    peer.send({ opcode: 1, rsv1: true, payload: 'a' });
    expect((await error)[0].code).toBe('WS_ERR_UNEXPECTED_RSV_1');
    peer.socket.end();
  });

  it.each(['permessage-deflate; foo', 'permessage-deflate; server_max_window_bits=7'])(
    '[RFC6455-9-4] client, granted with a parameter that the extension does not have: %s -> error',
    async (granted) => {
      const raw = await rawServer((head) => acceptingResponse(head, { [FIELD]: granted }));
      const [error] = await next(client(raw.url), 'error');
      expect(error.message).toBe('Invalid Sec-WebSocket-Extensions header');
    },
  );
});

describe('server', () => {
  it.each([
    [
      '[RFC6455-4.2.2-12] [RFC6455-9-2] server, one of three that it has -> that one',
      ['x, permessage-deflate, y; z=1'],
    ],
    [
      '[RFC6455-11.3.2-1] server, the field three times -> as one list',
      ['x', 'permessage-deflate', 'y; z=1'],
    ],
    [
      '[RFC6455-11.3.2-2] server, one that it has, twice -> one field',
      ['permessage-deflate', 'permessage-deflate'],
    ],
  ])('%s', async (_, values) => {
    const { peer } = await rawClient(
      { perMessageDeflate: true },
      { headers: { [FIELD]: values.join(`\r\n${FIELD}: `) } },
    );
    expect(fieldsIn(peer.head.lines)).toEqual([`${FIELD}: permessage-deflate`]);
  });

  it.each([
    ['asked for nothing', { perMessageDeflate: true }, undefined],
    [
      'asked for what it does not have',
      { perMessageDeflate: true },
      'permessage-bzip2, x-webkit-deflate-frame',
    ],
    ['asked for what it has, switched off', { perMessageDeflate: false }, 'permessage-deflate'],
  ])('[RFC6455-9-2] [RFC6455-9-3] server, %s -> no such field', async (_, options, value) => {
    const { peer } = await rawClient(options, { headers: { [FIELD]: value } });
    expect(fieldsIn(peer.head.lines)).toEqual([]);
  });

  it.each(['permessage-deflate; foo', 'permessage-deflate; server_max_window_bits=16'])(
    '[RFC6455-9-4] server, asked with a parameter that the extension does not have: %s -> not granted',
    async (asked) => {
      const wss = await server({ perMessageDeflate: true });
      expect(await exchange(portOf(wss), upgradeRequest({ headers: { [FIELD]: asked } }))).toMatch(
        /^HTTP\/1\.1 400 /,
      );
    },
  );
});
