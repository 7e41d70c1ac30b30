import { describe, expect, it } from 'vitest';
import { closeLink } from '../../src/agent/link.js';
import { TimerWheel } from '../../src/agent/timer-wheel.js';
import { FakeEnvironment } from '../support/fake-environment.js';
import { FakeLink } from '../support/fake-link.js';

function setUp() {
  const environment = new FakeEnvironment();
  const wheel = new TimerWheel(environment);
  const link = new FakeLink();
  link.handler = { onMessage: () => expect.unreachable(), onEnd: () => expect.unreachable() };
  const log: string[] = [];
  closeLink(link, 4400, 'why', wheel).then(() => log.push('gone'));
  return { environment, wheel, link, log };
}

describe('closeLink', () => {
  it('closes, hears no message any more, and is done when the connection is gone', async () => {
    const { environment, wheel, link, log } = setUp();
    expect(link.closeCode).toBe(4400);
    link.receive('a');
    await environment.settle();
    expect(log).toEqual([]);
    link.end();
    await environment.settle();
    expect(log).toEqual(['gone']);
    expect([link.isReleased, wheel.size]).toEqual([false, 0]);
  });

  it('no end within 5 s -> destroys it', async () => {
    const { environment, wheel, link, log } = setUp();
    environment.advance(4999);
    expect(link.isReleased).toBe(false);
    environment.advance(51);
    expect(link.isReleased).toBe(true);
    await environment.settle();
    expect(log).toEqual(['gone']);
    expect(wheel.size).toBe(0);
  });
});
