// A channel on a link of nothing, with an owner that notes what it is told. The test plays the peer.
import { Channel } from '../../src/agent/channel.js';
import { serializeAcknowledgement, type Window } from '../../src/agent/control.js';
import { Inbox } from '../../src/agent/inbox.js';
import type { Data } from '../../src/agent/link.js';
import { TimerWheel } from '../../src/agent/timer-wheel.js';
import { FakeEnvironment } from './fake-environment.js';
import { FakeLink } from './fake-link.js';

const HEARTBEAT = { intervalMs: 25_000, timeoutMs: 20_000 };

interface StageOptions {
  window?: Partial<Window>;
  isManual?: boolean;
  highWaterMark?: number;
  /** Whether messages that come are taken by a listener. */
  isTaking?: boolean;
}

export function channelStage(options: StageOptions = {}) {
  const { isManual = false, highWaterMark = 1000, isTaking = true } = options;
  const window = { messages: 1000, bytes: 2 ** 20, ...options.window };
  const environment = new FakeEnvironment();
  const wheel = new TimerWheel(environment);
  const inbox = new Inbox(false);
  const taken: [data: Data, number: number][] = [];
  if (isTaking) inbox.listener = (...message) => taken.push(message);
  const log: unknown[][] = [];
  const owner = {
    onRoom: () => log.push(['room']),
    onDetached: (_channel: Channel, end: object) => log.push(['detached', end]),
    onViolation: (_channel: Channel, code: number) => log.push(['violation', code]),
    onBye: () => log.push(['bye']),
    onDrain: (_channel: Channel, drain: object) => log.push(['drain', drain]),
  };
  const channel = new Channel({ owner, inbox, wheel, isManual, highWaterMark });
  /** Another link; the peer has `peerHas` of our messages, and was told that we have `announced` of its. */
  const attach = ({
    announced = channel.acknowledged,
    peerHas = channel.sent.acked,
    link = new FakeLink(),
  } = {}) => {
    const replayed = channel.attach(link, announced, peerHas, window, HEARTBEAT);
    return { link, replayed };
  };
  const { link } = attach();
  const send = (...messages: Data[]): void => {
    for (const data of messages) channel.transmit(data, false);
  };
  const acknowledgement = (r: number, s: number): string => serializeAcknowledgement(r, s);
  return { environment, wheel, inbox, taken, log, channel, attach, link, send, acknowledgement };
}

/** An acknowledgement, as links note it. */
export const acked = (r: number, s = 0) => ({ t: 'a', r, s });
