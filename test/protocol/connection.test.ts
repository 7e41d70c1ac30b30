import { describe, expect, it } from 'vitest';
import { CLOSE_EXCHANGED, CLOSE_SENT, CLOSED, FAILED, OPEN } from '../../src/protocol/connection-state.js';
import { both, Endpoint, exchange, fromPeer, ROLES } from '../support/engine.js';
import { closePayload } from '../support/frames.js';

const close = (code: number, reason?: string) => ({ opcode: 8, payload: closePayload(code, reason) });

describe('two engines joined in memory', () => {
  for (const role of ROLES) {
    it(`${role} closes -> both see the code and the reason, both are clean`, () => {
      const one = new Endpoint(role);
      const other = new Endpoint(role === 'client' ? 'server' : 'client');
      one.send('hello');
      one.connection.close(4000, Buffer.from('done'));
      exchange(one, other);
      expect(other.events).toEqual([
        ['text', 'hello'],
        ['close', 4000, 'done'],
      ]);
      expect(one.events).toEqual([['close', 4000, 'done']]);
      for (const { connection } of [one, other]) {
        expect(connection).toMatchObject({ state: CLOSE_EXCHANGED, wasClean: true, isOpen: false });
      }
    });
  }

  it('both close at once -> each gets the code of the other, both are clean', () => {
    const client = new Endpoint('client');
    const server = new Endpoint('server');
    client.connection.close(4001);
    server.connection.close(4002);
    exchange(client, server);
    expect([client.events, server.events]).toEqual([[['close', 4002, '']], [['close', 4001, '']]]);
    expect([client.connection.wasClean, server.connection.wasClean]).toEqual([true, true]);
  });

  it('messages and control frames go both ways, also those of 64 KiB and more', () => {
    const client = new Endpoint('client');
    const server = new Endpoint('server');
    const large = 'é'.repeat(50_000);
    for (const endpoint of [client, server]) {
      endpoint.send(large);
      endpoint.connection.ping('p');
      endpoint.send(Buffer.from([1, 2]));
    }
    exchange(client, server);
    const expected = [
      ['text', large],
      ['ping', '70'],
      ['binary', '0102'],
      ['pong', '70'],
    ];
    expect(client.events).toEqual(expected);
    expect(server.events).toEqual(expected);
  });
});

describe('close', () => {
  both('', 'closes twice -> one Close frame', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.connection.close(1000);
    endpoint.connection.close(1001);
    expect(endpoint.takeFrames().map(({ payload }) => payload)).toEqual([closePayload(1000)]);
    expect(endpoint.connection.state).toBe(CLOSE_SENT);
  });

  both('', 'closes in answer, within the event -> its code wins over the echo', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.onEvent = () => endpoint.connection.close(3001, Buffer.from('mine'));
    endpoint.receive(fromPeer(role, close(4000)));
    expect(endpoint.takeFrames().map(({ payload }) => payload)).toEqual([closePayload(3001, 'mine')]);
    expect(endpoint.connection.state).toBe(CLOSE_EXCHANGED);
  });

  both('', 'closes after a failure or the end of the transport -> nothing is sent', (role) => {
    for (const end of ['terminate', 'transportClosed', 'receiveEnd'] as const) {
      const endpoint = new Endpoint(role);
      endpoint.connection[end]();
      endpoint.connection.close(1000);
      expect(endpoint.takeFrames()).toEqual([]);
    }
  });
});

describe('deadlines', () => {
  both('', 'sends Close -> asks for closeTimeoutMs, and destroys the socket when it has passed', (role) => {
    const endpoint = new Endpoint(role, { closeTimeoutMs: 500 });
    expect(endpoint.deadlineMs).toBe(0);
    endpoint.connection.close();
    expect(endpoint.deadlineMs).toBe(500);
    endpoint.takeOutput();
    endpoint.connection.handleTimeout();
    expect(endpoint.requests).toEqual(['destroy']);
  });

  both('', 'has no closeTimeoutMs given -> 30 seconds', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.connection.close();
    expect(endpoint.deadlineMs).toBe(30_000);
  });

  it('client, after the closing handshake -> a second for the server, then ends, then destroys', () => {
    const client = new Endpoint('client');
    client.receive(fromPeer('client', close(1000)));
    client.takeOutput();
    expect([client.deadlineMs, client.requests]).toEqual([1000, []]);
    client.connection.handleTimeout();
    expect([client.deadlineMs, client.requests]).toEqual([30_000, ['end']]);
    client.connection.handleTimeout();
    expect(client.requests).toEqual(['end', 'destroy']);
  });

  it('client with a shorter closeTimeoutMs -> waits no longer than that for the server', () => {
    const client = new Endpoint('client', { closeTimeoutMs: 200 });
    client.receive(fromPeer('client', close(1000)));
    client.takeOutput();
    expect(client.deadlineMs).toBe(200);
  });

  both('', 'the transport is closed -> asks for no time any more', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.connection.close();
    endpoint.connection.transportClosed();
    expect(endpoint.deadlineMs).toBeUndefined();
    expect(endpoint.connection.state).toBe(CLOSED);
  });
});

describe('the end of the transport', () => {
  both('', 'the peer ends its direction without a Close -> ends too, not clean', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.connection.receiveEnd();
    expect(endpoint.requests).toEqual(['end']);
    expect(endpoint.connection).toMatchObject({ state: FAILED, wasClean: false });
  });

  both('', 'the peer ends its direction after the closing handshake -> stays clean', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.receive(fromPeer(role, close(1000)));
    endpoint.connection.receiveEnd();
    endpoint.connection.transportClosed();
    expect(endpoint.connection).toMatchObject({ state: CLOSED, wasClean: true });
  });

  both('', 'is terminated -> the socket is destroyed, not clean', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.connection.terminate();
    expect(endpoint.requests).toEqual(['destroy']);
    expect(endpoint.connection).toMatchObject({ isOpen: false, wasClean: false });
  });

  both('', 'writing the Close frame fails -> the socket is not ended twice', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.receive(fromPeer(role, close(1000)));
    endpoint.takeOutput({ isWritten: false });
    endpoint.failWrites(new Error('EPIPE'));
    expect(endpoint.requests).toEqual([]);
  });
});

describe('autoPong', () => {
  both('', 'is off -> the Ping is reported and not answered', (role) => {
    const endpoint = new Endpoint(role, { autoPong: false });
    endpoint.receive(fromPeer(role, { opcode: 9, payload: 'p' }));
    expect([endpoint.events, endpoint.takeFrames()]).toEqual([[['ping', '70']], []]);
  });

  both(
    '[RFC6455-10.4-1]',
    'maxPendingAutoPongs: a peer that pings and does not read -> cut at the limit, no further event',
    (role) => {
      const endpoint = new Endpoint(role, { maxPendingAutoPongs: 3 });
      const pings = Array.from({ length: 10 }, () => ({ opcode: 9 }));
      endpoint.receive(fromPeer(role, ...pings, { opcode: 1, payload: 'after' }));
      expect(endpoint.events).toEqual([
        ['ping', ''],
        ['ping', ''],
        ['ping', ''],
      ]);
      expect(endpoint.requests).toEqual(['destroy']);
      expect(endpoint.takeFrames()).toHaveLength(3);
    },
  );

  both('[RFC6455-10.4-1]', 'maxPendingAutoPongs by default -> 60 may wait, the next one cuts', (role) => {
    const endpoint = new Endpoint(role);
    for (let i = 0; i < 60; i++) endpoint.receive(fromPeer(role, { opcode: 9 }));
    expect(endpoint.requests).toEqual([]);
    endpoint.receive(fromPeer(role, { opcode: 9 }));
    expect(endpoint.requests).toEqual(['destroy']);
  });

  both('', 'maxPendingAutoPongs: the peer reads -> any number is answered', (role) => {
    const endpoint = new Endpoint(role, { maxPendingAutoPongs: 1 });
    for (let i = 0; i < 10; i++) {
      endpoint.receive(fromPeer(role, { opcode: 9 }));
      expect(endpoint.takeFrames()).toHaveLength(1);
    }
    expect(endpoint.connection.state).toBe(OPEN);
  });

  both('', 'maxPendingAutoPongs 0 -> no limit', (role) => {
    const endpoint = new Endpoint(role, { maxPendingAutoPongs: 0 });
    for (let i = 0; i < 1000; i++) endpoint.receive(fromPeer(role, { opcode: 9 }));
    expect(endpoint.takeFrames({ isWritten: false })).toHaveLength(1000);
  });
});

describe('bufferedBytes', () => {
  both('', 'sends -> counts what the transport was not given yet, headers included', (role) => {
    const endpoint = new Endpoint(role);
    endpoint.send('12345');
    expect(endpoint.connection.bufferedBytes).toBe(5 + 2 + (role === 'client' ? 4 : 0));
    endpoint.takeOutput({ isWritten: false });
    expect(endpoint.connection.bufferedBytes).toBe(0);
  });
});

describe('a Close frame while the application has paused', () => {
  const paused = (role: 'client' | 'server') => {
    const endpoint = new Endpoint(role);
    endpoint.isPaused = true;
    endpoint.receive(fromPeer(role, { opcode: 8, payload: Buffer.from([0x03, 0xe8]) }));
    expect(endpoint.connection.isOpen).toBe(true);
    expect(endpoint.connection.isCloseHeld).toBe(true);
    expect(endpoint.events).toEqual([]);
    return endpoint;
  };
  const isClosed = ({ connection, events }: Endpoint) => {
    expect(connection.isCloseHeld).toBe(false);
    expect(connection.isOpen).toBe(false);
    expect(JSON.stringify(events).match(/close/g)).toHaveLength(1);
  };

  both('[RFC6455-5.5.1-10]', 'waits, and what is sent meanwhile goes before the answer', (role) => {
    const endpoint = paused(role);
    endpoint.send('last');
    endpoint.connection.releaseClose();
    isClosed(endpoint);
    expect(endpoint.takeFrames().map(({ opcode }) => opcode)).toEqual([1, 8]);
  });

  both('', 'the peer ends, or the transport is gone -> it is heard of all the same', (role) => {
    for (const end of ['receiveEnd', 'transportClosed'] as const) {
      const endpoint = paused(role);
      endpoint.connection[end]();
      isClosed(endpoint);
    }
  });
});
