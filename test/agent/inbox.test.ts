// Messages on their way to the application.
import { describe, expect, it } from 'vitest';
import { Inbox } from '../../src/agent/inbox.js';

describe('a listener', () => {
  it('has been given the message while it runs, and has handled it when it returns', () => {
    const inbox = new Inbox();
    const news: unknown[] = [];
    const source = { handedOver: 0, handed: (number: number) => news.push(['handed', number]) };
    inbox.listener = (data, number) => news.push([data, number, source.handedOver]);
    inbox.push('a', 7, source);
    expect(news).toEqual([
      ['a', 7, 7],
      ['handed', 7],
    ]);
  });
});
