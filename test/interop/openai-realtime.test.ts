// OpenAI's client (npm `openai`) on hawser, as after `npm install ws@npm:hawser`: its realtime client in both flavours and
// its Responses client talk to a stand-in server, each in a process of its own where `ws` is hawser.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CERTIFICATE } from '../support/certificate.js';
import { startOpenAI } from '../support/openai-server.js';
import { run } from './install.js';
import { isHawser, ROOT, subject, subjectName } from './subject.js';

let project: string;
let server: Awaited<ReturnType<typeof startOpenAI>>;

beforeAll(async () => {
  // What npm makes of the alias: the package in a directory named `ws`, beside `openai`.
  project = mkdtempSync(join(tmpdir(), 'hawser-openai-'));
  const modules = join(project, 'node_modules');
  mkdirSync(modules);
  symlinkSync(isHawser ? ROOT : join(ROOT, 'node_modules', 'ws'), join(modules, 'ws'), 'junction');
  symlinkSync(join(ROOT, 'node_modules', 'openai'), join(modules, 'openai'), 'junction');
  symlinkSync(join(__dirname, 'openai'), join(project, 'programs'), 'junction');
  writeFileSync(join(project, 'certificate.pem'), CERTIFICATE);
  server = await startOpenAI(subject);
});

afterAll(() => {
  server.close();
  rmSync(project, { recursive: true, force: true });
});

/** Runs a program of openai/; what it saw, and what the server saw of it. */
async function talk(program: string, args: string[] = [], key = 'sk-of-the-test') {
  const before = server.visits.length;
  // A link counts as the directory that it stands for: `openai` finds the `ws` beside it.
  const flags = ['--preserve-symlinks', '--preserve-symlinks-main', join('programs', `${program}.mjs`)];
  const { code, stdout, stderr } = await run(process.execPath, [...flags, ...args], {
    cwd: project,
    env: {
      BASE_URL: server.baseURL,
      API_KEY: key,
      NODE_EXTRA_CA_CERTS: join(project, 'certificate.pem'),
    },
  });
  expect(code, stderr).toBe(0);
  return { seen: JSON.parse(stdout), visits: server.visits.slice(before) };
}

const CONVERSATION = {
  ws: subjectName,
  model: 'gpt-realtime',
  instructions: 'be brief ☃',
  text: ['Hello', ', ', 'wörld'],
  argumentDeltas: ['{"city"', ':"Malm', 'ö"}'],
  arguments: { city: 'Malmö' },
  answer: 'It is raining',
  audio: true,
  errors: ['invalid_value'],
  errorEventId: 'mine',
};

describe.each([
  { flavour: 'ws', protocol: '' },
  { flavour: 'global', protocol: 'realtime' },
])(`openai's realtime client on ${subjectName}: $flavour`, ({ flavour, protocol }) => {
  it('text, a function call, audio, an error, closed by the client -> all of it, and 1000', async () => {
    const { seen, visits } = await talk('realtime', [flavour, 'client']);
    expect(seen).toEqual({ ...CONVERSATION, protocol, closed: [1000, 'OK', true] });
    expect(visits).toHaveLength(1);
    const [{ url, headers, closed }] = visits as [(typeof visits)[0]];
    expect(url).toBe('/v1/realtime?model=gpt-realtime');
    expect(await closed).toEqual([1000, 'OK']);
    const offered = headers['sec-websocket-protocol'];
    if (flavour === 'ws') {
      expect(headers.authorization).toBe('Bearer sk-of-the-test');
      expect(headers['user-agent']).toMatch(/^OpenAI\/JS /);
      expect(offered).toBeUndefined();
    } else {
      expect(headers.authorization).toBeUndefined();
      expect(offered?.split(',')).toEqual(['realtime', 'openai-insecure-api-key.sk-of-the-test']);
    }
  });

  it('closed by the server -> its code and reason', async () => {
    const { seen } = await talk('realtime', [flavour, 'server']);
    expect(seen.closed).toEqual([4004, 'session expired', true]);
  });

  it('a wrong key -> an error and 1006', async () => {
    const { seen } = await talk('realtime', [flavour, 'refused'], 'sk-wrong');
    expect(seen).toEqual({ ws: subjectName, errors: ['Unexpected server response: 401'], code: 1006 });
  });

  it('a torn connection, with its own recovery on -> another socket of the same class', async () => {
    const { seen, visits } = await talk('recovery', [flavour]);
    expect(seen).toEqual({ ws: subjectName, closeCode: 1006, isAnother: true, closed: [1000, 'OK'] });
    expect(visits).toHaveLength(2);
  });
});

describe(`openai's Responses client on ${subjectName}`, () => {
  it('text, a function call, its output, an error, closed by the server -> all of it', async () => {
    const { seen, visits } = await talk('responses');
    expect(seen).toEqual({
      ws: subjectName,
      text: ['Hello', ', ', 'wörld'],
      sequence: [0, 1, 2, 3, 4, 5],
      argumentDeltas: ['{"city"', ':"Malm', 'ö"}'],
      arguments: { city: 'Malmö' },
      answer: 'It is raining',
      error: 'previous_response_not_found',
      closed: [1000, 'limit reached'],
    });
    const [{ url, headers, events }] = visits as [(typeof visits)[0]];
    expect(url).toBe('/v1/responses');
    expect(headers).toMatchObject({ authorization: 'Bearer sk-of-the-test', 'x-trace': 'one' });
    expect(events.filter((type) => type === 'response.create')).toHaveLength(4);
  });
});
