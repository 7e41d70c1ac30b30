// What the regression tests have in common: hawser's classes in the form that `cast` takes, servers behind either kind
// of listener, and programs that run in a process of their own, where memory and crashes can be told.
import http from 'node:http';
import { join } from 'node:path';
import { expect } from 'vitest';
import { WebSocket } from '../../src/ws/websocket.js';
import { WebSocketServer } from '../../src/ws/websocket-server.js';
import type { Package } from '../behaviour/implementations.js';
import { cast } from '../support/cast.js';
import { runProgram } from '../support/child.js';
import { compiledSources } from '../support/compiled.js';
import { next, record, turn } from '../support/events.js';
import type { FrameFields } from '../support/frames.js';
import type { RawPeer } from '../support/raw-peer.js';

export const subject = Object.assign(class extends WebSocket {}, { WebSocketServer });

/** The server's own listener, and a server that the user brings. */
export const LISTENERS = ['port', 'server'] as const;
export type Listener = (typeof LISTENERS)[number];

export type Stage = ReturnType<typeof stage>;

export function stage() {
  const actors = cast(subject);

  /** A WebSocketServer behind either kind of listener. */
  async function listen(
    listener: Listener,
    options: object = {},
    httpOptions: http.ServerOptions = {},
  ): Promise<Package> {
    if (listener === 'port') return actors.server(options);
    const server = http.createServer(httpOptions);
    actors.atEnd(server, () => {
      server.closeAllConnections();
      server.close();
    });
    server.listen(0, '127.0.0.1');
    return actors.server({ ...options, server, port: undefined });
  }

  return { ...actors, listen };
}

/** What became of an end that a raw peer has sent frames to. */
export interface Judgement {
  messages: string[];
  /** `code` of the errors. */
  errors: unknown[];
  /** Status code of the Close frame that the peer got; undefined when it was empty. */
  told: number | undefined;
  /** Status code of the 'close' event. */
  code: unknown;
}

/** Sends frames in one write, and waits for the end of the connection. */
export async function judge(socket: Package, peer: RawPeer, ...frames: FrameFields[]): Promise<Judgement> {
  const messages = record(socket, 'message');
  const errors = record(socket, 'error');
  const closed = next(socket, 'close');
  peer.send(...frames);
  const frame = await peer.nextFrame();
  expect(frame.opcode).toBe(8);
  await peer.ended;
  peer.socket.end();
  const [code] = await closed;
  return {
    messages: messages.map(([, data]) => String(data)),
    errors: errors.map(([, error]) => (error as { code?: string }).code),
    told: frame.payload.length > 0 ? frame.payload.readUInt16BE(0) : undefined,
    code,
  };
}

/** Runs test/regression/programs/<name>.cjs; returns what it printed as JSON. The process must end by itself. */
export async function perform(name: string, parameters: object = {}, heapMegabytes = 96): Promise<Package> {
  const program = join(process.cwd(), 'test', 'regression', 'programs', `${name}.cjs`);
  const outcome = await runProgram(`require(${JSON.stringify(program)})`, {
    env: {
      NODE_OPTIONS: `--max-old-space-size=${heapMegabytes}`,
      COMPILED: compiledSources(),
      PARAMETERS: JSON.stringify(parameters),
    },
  });
  expect(outcome.stderr).toBe('');
  expect(outcome.code).toBe(0);
  return JSON.parse(outcome.stdout);
}

/**
 * Collects what is thrown to the process while `action` goes on.
 *
 * @param turns of the event loop after which the first exception ends the wait, when `action` never does
 */
export async function uncaughtDuring<T>(
  action: () => Promise<T>,
  turns = 0,
): Promise<{ result: T | undefined; thrown: unknown[] }> {
  const others = process.listeners('uncaughtException');
  const thrown: unknown[] = [];
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => thrown.push(error));
  try {
    const running = action();
    let isOver = false;
    running.finally(() => {
      isOver = true;
    });
    for (let left = turns; !isOver && (thrown.length === 0 || left > 0); left -= Math.sign(thrown.length))
      await turn();
    return { result: isOver ? await running : undefined, thrown };
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of others) process.on('uncaughtException', listener);
  }
}
