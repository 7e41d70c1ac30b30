// Who may go on with a session, and who may not: the same client after a connection of which only it knows that it is dead,
// late and second comers, wrong secrets.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectSession, type SessionEnd } from '../../../src/agent/index.js';
import { until } from '../../support/tcp.js';
import { CAPS, RawClient } from './raw-client.js';
import { exchange, QUICK_BACKOFF, QUICK_HEARTBEAT, type Scene, setScene } from './scene.js';

let scene: Scene;
const rawClients: RawClient[] = [];

beforeEach(async () => {
  scene = await setScene({ authenticate: ({ url }) => url });
});

afterEach(async () => {
  for (const client of rawClients.splice(0)) client.terminate();
  await scene.close();
});

async function openRaw(url = scene.directUrl): Promise<RawClient> {
  const client = await RawClient.open(url);
  rawClients.push(client);
  return client;
}

async function begin(options?: Parameters<Scene['connect']>[0]) {
  const client = scene.connect(options);
  await client.ready;
  const session = scene.sessions.at(-1)!;
  const ended = new Promise<SessionEnd>((resolve) => client.once('close', resolve));
  return { client, session, ended };
}

describe('a half-open connection', () => {
  it('the client comes back -> the server takes over at once, and ends the old connection', async () => {
    // Only the client finds out by itself: the server would wait for its heartbeat, 25 s.
    const { client, session } = await begin({ heartbeat: QUICK_HEARTBEAT });
    await exchange(client, session);
    const states: string[] = [];
    session.on('detached', () => states.push('detached'));
    session.on('resumed', () => states.push('resumed'));
    const [old] = scene.proxy.connections;
    old!.cut('blackhole');
    session.send('into the black hole');
    client.send('as well');
    await until(() => states.length > 0);
    await exchange(client, session);
    expect(states).toEqual(['resumed']);
    expect(scene.server.stats()).toMatchObject({ attached: 1, detached: 0, resumed: 1 });
    // Both of its sockets: that of the client, and that of the server.
    await old!.closed;
    expect(scene.logs.get(session)!.map(({ data, number }) => [data, number])).toEqual([
      ['from the client', 1],
      ['as well', 2],
      ['from the client', 3],
    ]);
  });

  it('what arrives on the old connection after the takeover is not read', async () => {
    const old = await openRaw();
    const { sid, tok } = await old.hello({});
    const current = await openRaw();
    current.control({ t: 'hello', v: 1, sid, tok, gen: 2, recv: 0, caps: CAPS });
    expect(await current.take()).toMatchObject({ t: 'welcome', resumed: true, sid });
    old.send('too late');
    expect(await old.closed).toBe(1006);
    current.send('in time');
    const [session] = scene.sessions;
    await until(() => session!.received > 0);
    expect(scene.logs.get(session!)).toEqual([{ data: 'in time', number: 1 }]);
  });
});

describe('a late hello', () => {
  it.each([1, 2])('with generation %i after 2 -> 4409, and the connection in use goes on', async (gen) => {
    const { sid, tok } = await (await openRaw()).hello({});
    const current = await openRaw();
    await current.hello({ sid, tok, gen: 2 });
    const late = await openRaw();
    late.control({ t: 'hello', v: 1, sid, tok, gen, recv: 0, caps: CAPS });
    expect(await late.closed).toBe(4409);
    scene.sessions[0]!.send('still here');
    expect(await current.take()).toBe('still here');
  });
});

describe('two clients with one token', () => {
  it('the second one takes over; the first ends with "superseded", and does not fight', async () => {
    const { client, session, ended } = await begin();
    await exchange(client, session);
    const second = await openRaw();
    const { id: sid, token: tok } = session;
    const welcome = await second.hello({ sid, tok, gen: 100, recv: 1 });
    expect(welcome).toMatchObject({ resumed: true, sid, recv: 1 });
    expect((await ended).error).toMatchObject({ code: 'superseded', closeCode: 4409 });
    expect(client.state).toBe('closed');
    second.send('mine now');
    await until(() => session.received === 2);
    session.send('yours');
    expect(await second.take()).toBe('yours');
    expect(scene.server.stats()).toMatchObject({ resumed: 1, created: 1 });
  });
});

describe('a wrong secret', () => {
  it('a wrong token looks like an unknown session, and leaves the session alone', async () => {
    const { client, session } = await begin();
    const { id: sid, token: tok } = session;
    const answers = await Promise.all(
      [
        { sid, tok: `${tok.slice(0, -1)}~` },
        { sid, tok: 'x' },
        { sid: 'unknown', tok },
      ].map(async (members) => (await openRaw()).hello({ ...members, gen: 9, recv: 5 })),
    );
    for (const answer of answers) {
      expect(answer).toMatchObject({ resumed: false, recv: 0, reason: 'unknown' });
      expect(Object.keys(answer)).toEqual(Object.keys(answers[0]!));
      expect(answer.sid).not.toBe(sid);
      expect(answer.tok).not.toBe(tok);
    }
    expect(session.state).toBe('open');
    await exchange(client, session);
    expect(client.stats().resumes).toBe(0);
  });
});

describe('another principal', () => {
  it('with the right token -> 4403, and the session is left alone', async () => {
    const { client, session } = await begin();
    const { id: sid, token: tok } = session;
    const other = await openRaw(`${scene.directUrl}other`);
    other.control({ t: 'hello', v: 1, sid, tok, gen: 9, recv: 0, caps: CAPS });
    expect(await other.closed).toBe(4403);
    await exchange(client, session);
    expect(client.stats().resumes).toBe(0);
  });

  it('a client that becomes one while it reconnects -> "unauthorized", with what was not delivered', async () => {
    let path = '';
    const client = connectSession(() => `${scene.url}${path}`, { backoff: QUICK_BACKOFF });
    const ended = new Promise<SessionEnd>((resolve) => client.once('close', resolve));
    await client.ready;
    path = 'other';
    scene.proxy.cutAll();
    client.send('for the first one');
    const end = await ended;
    expect(end).toMatchObject({ code: 4403, error: { code: 'unauthorized' } });
    expect([...end.unsent, ...end.unacked]).toEqual(['for the first one']);
  });
});
