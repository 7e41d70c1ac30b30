import { describe, expect, it } from 'vitest';
import {
  CLOSE_EXCHANGED,
  CLOSE_RECEIVED,
  CLOSE_SENT,
  CLOSED,
  type ConnectionEvent,
  type ConnectionState,
  FAILED,
  maySend,
  nextState,
  OPEN,
} from '../../src/protocol/connection-state.js';

const STATES: Record<string, ConnectionState> = {
  OPEN,
  CLOSE_SENT,
  CLOSE_RECEIVED,
  CLOSE_EXCHANGED,
  FAILED,
  CLOSED,
};
const NAMES = Object.keys(STATES);

/** The table of §7.1, state by state: sendClose, receiveClose, fail, transportClosed. */
const TABLE: Record<string, [string, string, string, string]> = {
  OPEN: ['CLOSE_SENT', 'CLOSE_RECEIVED', 'FAILED', 'CLOSED'],
  CLOSE_SENT: ['CLOSE_SENT', 'CLOSE_EXCHANGED', 'FAILED', 'CLOSED'],
  CLOSE_RECEIVED: ['CLOSE_EXCHANGED', 'CLOSE_RECEIVED', 'FAILED', 'CLOSED'],
  CLOSE_EXCHANGED: ['CLOSE_EXCHANGED', 'CLOSE_EXCHANGED', 'CLOSE_EXCHANGED', 'CLOSED'],
  FAILED: ['FAILED', 'FAILED', 'FAILED', 'CLOSED'],
  CLOSED: ['CLOSED', 'CLOSED', 'CLOSED', 'CLOSED'],
};
const EVENTS: ConnectionEvent[] = ['sendClose', 'receiveClose', 'fail', 'transportClosed'];

describe('nextState', () => {
  it.each(NAMES)('[RFC6455-7.1.3-1] both roles, from %s -> as the table says', (name) => {
    const state = STATES[name]!;
    expect(EVENTS.map((event) => NAMES[nextState(state, event)])).toEqual(TABLE[name]);
  });

  it('[RFC6455-7.1.4-1] both roles, TCP closed -> CLOSED for good', () => {
    for (const state of Object.values(STATES)) {
      expect(nextState(state, 'transportClosed')).toBe(CLOSED);
      for (const event of EVENTS) expect(nextState(CLOSED, event)).toBe(CLOSED);
    }
  });

  it('no way leads back to OPEN', () => {
    for (const state of Object.values(STATES)) {
      for (const event of EVENTS) expect(nextState(state, event)).not.toBe(OPEN);
    }
  });
});

it('[RFC6455-5.5.1-6] both roles, data -> in OPEN only', () => {
  expect(Object.values(STATES).filter(maySend)).toEqual([OPEN]);
});
