// What 10,000 connections leave behind in the process: nothing.
import { describe, expect, it } from 'vitest';
import { perform } from './stage.js';

describe('sockets, timers, listeners and memory after 10,000 connections', () => {
  it.each([
    ["the server's own listener, closing handshakes", { count: 5000, own: true, abrupt: false }],
    ['a server that the user brings, ends of every kind', { count: 5000, own: false, abrupt: true }],
  ])(
    '%s -> back to where they were',
    async (_name, parameters) => {
      const { served, before, after, growth } = await perform('leaks', { batch: 100, ...parameters }, 256);
      expect(served).toBe(parameters.count);
      expect(after).toEqual(before);
      expect(after.clients).toBe(0);
      // 150 bytes a connection would be a leak; what the engine itself still learns is less than that.
      expect(growth).toBeLessThan(768 * 1024);
    },
    60_000,
  );
});
