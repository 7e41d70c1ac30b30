// Attacks on the end of a connection and on its liveness (RFC 6455 §5.5.1, §7), against both roles.
import type net from 'node:net';
import { describe, expect, it } from 'vitest';
import { ROLES } from '../support/cast.js';
import { called, next, record, thrownBy, turn } from '../support/events.js';
import { closePayload } from '../support/frames.js';
import { stage } from './stage.js';

const { against } = stage();

const MESSAGE = { opcode: 2, payload: Buffer.alloc(16 * 1024) };

describe('E1: closing handshakes that do not end', () => {
  it.each(ROLES)(
    '%s, the peer never answers Close -> closed by itself, 1006, the socket is gone',
    async (role) => {
      const { socket, peer } = await against(role, { closeTimeout: 50 });
      socket.close(1000);
      expect((await peer.nextFrame()).opcode).toBe(8);
      const [code] = await next(socket, 'close');
      expect(code).toBe(1006);
      expect(socket.wasClean).toBe(false);
      peer.socket.end();
      await peer.closed;
    },
  );

  it.each(ROLES)(
    '%s, the peer goes on sending instead of answering Close -> closed by itself all the same',
    async (role) => {
      const { socket, peer } = await against(role, { closeTimeout: 50 });
      const closed = next(socket, 'close');
      const sending = setInterval(() => peer.send(MESSAGE), 1);
      socket.close();
      expect((await closed)[0]).toBe(1006);
      clearInterval(sending);
    },
  );

  it.each(ROLES)(
    '%s, the peer answers Close and never ends TCP -> closed by itself, cleanly',
    async (role) => {
      const { socket, peer } = await against(role, { closeTimeout: 50 });
      const closed = next(socket, 'close');
      socket.close(1000);
      await peer.nextFrame();
      peer.send({ opcode: 8, payload: closePayload(1000) });
      expect((await closed)[0]).toBe(1000);
      expect(socket.wasClean).toBe(true);
      await peer.ended;
    },
  );

  it.each(ROLES)(
    '%s, the peer sends Close and never ends TCP -> answered, closed by itself',
    async (role) => {
      const { socket, peer } = await against(role, { closeTimeout: 50 });
      const closed = next(socket, 'close');
      peer.send({ opcode: 8, payload: closePayload(4000, 'bye') });
      expect((await peer.nextFrame()).payload).toEqual(closePayload(4000, 'bye'));
      const [code, reason] = await closed;
      expect([code, String(reason)]).toEqual([4000, 'bye']);
    },
  );

  it.each(ROLES)('%s, a fault, and the peer never ends TCP -> closed by itself', async (role) => {
    const { socket, peer } = await against(role, { closeTimeout: 50 });
    const closed = next(socket, 'close');
    peer.send({ opcode: 3 });
    expect((await closed)[0]).toBe(1006);
  });

  it.each(ROLES)(
    '%s, the peer reads nothing of what stands in front of Close -> closed by itself',
    async (role) => {
      const { socket, peer } = await against(role, { closeTimeout: 50, perMessageDeflate: false });
      peer.socket.pause();
      for (let i = 0; i < 16; i++) socket.send(Buffer.alloc(1024 * 1024));
      socket.close();
      expect((await next(socket, 'close'))[0]).toBe(1006);
    },
  );
});

describe('E2: peers that are gone without a word', () => {
  it.each(ROLES)('%s with a heartbeat, the peer answers no Ping -> 1006', async (role) => {
    const { socket, peer } = await against(role, { heartbeat: { intervalMs: 20 } });
    const [code] = await next(socket, 'close');
    expect(code).toBe(1006);
    expect(peer.frames.map(({ opcode }) => opcode)).toContain(9);
  });

  it.each(ROLES)('%s with a heartbeat, the peer answers every Ping -> stays open', async (role) => {
    const { socket, peer } = await against(role, { heartbeat: { intervalMs: 20, timeoutMs: 2000 } });
    for (let i = 0; i < 5; i++) {
      const ping = await peer.nextFrame();
      expect(ping.opcode).toBe(9);
      peer.send({ opcode: 10, payload: ping.payload });
    }
    expect(socket.readyState).toBe(1);
  });
});

describe('E3: half-open connections', () => {
  it.each(ROLES)(
    '[RFC6455-7.1.5-1] %s, the peer ends TCP without Close -> 1006, not clean, our direction ends too',
    async (role) => {
      const { socket, peer } = await against(role);
      const closed = next(socket, 'close');
      peer.socket.end();
      expect((await closed)[0]).toBe(1006);
      expect(socket.wasClean).toBe(false);
      await peer.ended;
    },
  );

  it.each(ROLES)(
    '%s, the peer ends TCP while we have much to write -> what it reads is whole, then the end',
    async (role) => {
      const { socket, peer } = await against(role, { perMessageDeflate: false });
      peer.socket.pause();
      const payload = Buffer.alloc(4 * 1024 * 1024, 'w');
      socket.send(payload);
      peer.socket.end();
      const closed = next(socket, 'close');
      await turn();
      peer.socket.resume();
      expect((await peer.nextFrame()).payload.equals(payload)).toBe(true);
      await peer.ended;
      expect((await closed)[0]).toBe(1006);
    },
  );

  it.each(ROLES)(
    '%s, the peer ends TCP in the middle of a frame -> 1006, nothing half is delivered',
    async (role) => {
      const { socket, peer } = await against(role);
      const events = record(socket, 'message', 'error');
      peer.send({ opcode: 1, payload: 'half', declaredLength: 10n });
      peer.socket.end();
      expect((await next(socket, 'close'))[0]).toBe(1006);
      expect(events).toEqual([]);
    },
  );
});

describe('E4: a reset that overtakes Close', () => {
  it.each(ROLES)(
    '%s closes while the peer goes on sending -> the peer gets the Close frame, clean end',
    async (role) => {
      const { socket, peer } = await against(role);
      const errors: unknown[] = [];
      peer.socket.on('error', (error) => errors.push(error));
      socket.once('message', () => socket.close(4001, 'enough'));
      const closed = next(socket, 'close');
      for (let i = 0; i < 500; i++) peer.send(MESSAGE);
      expect((await peer.nextFrame()).payload).toEqual(closePayload(4001, 'enough'));
      for (let i = 0; i < 100; i++) peer.send(MESSAGE);
      peer.send({ opcode: 8, payload: closePayload(4001) });
      peer.socket.end();
      expect((await closed)[0]).toBe(4001);
      expect(errors).toEqual([]);
    },
  );

  it.each(ROLES)(
    '%s fails the connection while the peer goes on sending -> the peer gets the reason, no reset',
    async (role) => {
      const { socket, peer } = await against(role);
      const errors: unknown[] = [];
      peer.socket.on('error', (error) => errors.push(error));
      const closed = next(socket, 'close');
      peer.send({ opcode: 3 });
      for (let i = 0; i < 500; i++) peer.send(MESSAGE);
      expect((await peer.nextFrame()).payload.readUInt16BE(0)).toBe(1002);
      for (let i = 0; i < 100; i++) peer.send(MESSAGE);
      await peer.ended;
      await called((done) => peer.socket.end(done));
      await closed;
      expect(errors).toEqual([]);
    },
  );

  it.each(ROLES)(
    '%s, the peer resets the connection -> 1006, no error that nobody listens to',
    async (role) => {
      const { socket, peer } = await against(role);
      const errors = record(socket, 'error');
      const closed = next(socket, 'close');
      (peer.socket as net.Socket).resetAndDestroy();
      expect((await closed)[0]).toBe(1006);
      expect(errors).toEqual([]);
    },
  );
});

describe('E5: codes and reasons that cannot be sent', () => {
  for (const role of ROLES) {
    it.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_536, -1, Number.NaN, '1000', null])(
      `[RFC6455-7.4.2-1] ${role}, close(%s) -> TypeError, the connection stays open`,
      async (code) => {
        const { socket, peer } = await against(role);
        expect(thrownBy(() => socket.close(code))).toBeInstanceOf(TypeError);
        socket.send('open');
        expect(String((await peer.nextFrame()).payload)).toBe('open');
      },
    );

    it(`[RFC6455-5.5-1] ${role}, reason of 124 bytes in fewer characters -> RangeError; 123 bytes -> sent`, async () => {
      const { socket, peer } = await against(role);
      expect(thrownBy(() => socket.close(1000, 'é'.repeat(62)))).toBeInstanceOf(RangeError);
      const reason = `${'é'.repeat(61)}!`;
      socket.close(1000, reason);
      expect((await peer.nextFrame()).payload).toEqual(closePayload(1000, reason));
    });
  }
});

describe('E7: sending after the end', () => {
  it.each(ROLES)(
    '%s, 1,000 sends after close() -> counted, not kept, not written, each callback gets an error',
    async (role) => {
      const { socket, peer } = await against(role);
      socket.close();
      const before = process.memoryUsage().arrayBuffers;
      const payload = Buffer.alloc(64 * 1024);
      const results = Array.from({ length: 1000 }, () =>
        called((callback) => socket.send(payload, callback)),
      );
      expect(socket.bufferedAmount).toBeGreaterThanOrEqual(1000 * payload.length);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024);
      for (const [error] of await Promise.all(results)) expect(error).toBeInstanceOf(Error);
      peer.send({ opcode: 8 });
      await peer.ended;
      peer.socket.end();
      await next(socket, 'close');
      expect(peer.frames.map(({ opcode }) => opcode)).toEqual([8]);
    },
  );
});
