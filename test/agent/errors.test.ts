import { describe, expect, it } from 'vitest';
import { CLOSE, SessionError } from '../../src/agent/errors.js';

describe('SessionError', () => {
  it('is an Error with a code, and tells nothing that was not given', () => {
    const error = new SessionError('closed', 'the session is over');
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toBe('SessionError: the session is over');
    expect([error.code, error.closeCode, error.status]).toEqual(['closed', undefined, undefined]);
    expect('cause' in error).toBe(false);
  });

  it('carries the close code, the status and the cause', () => {
    const cause = new Error('underneath');
    const error = new SessionError('unauthorized', 'no', { closeCode: 4401, status: 401, cause });
    expect([error.closeCode, error.status, error.cause]).toEqual([4401, 401, cause]);
  });
});

describe('CLOSE', () => {
  it('is what the session protocol says; a change would be another protocol', () => {
    expect(CLOSE).toEqual({
      OVER: 1000,
      RESTART: 1012,
      MALFORMED: 4400,
      UNAUTHENTICATED: 4401,
      FORBIDDEN: 4403,
      TIMEOUT: 4408,
      SUPERSEDED: 4409,
      CORRUPT: 4500,
    });
  });
});
