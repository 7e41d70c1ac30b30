import { describe, expect, it } from 'vitest';
import { CallError, lostError, ofCall, RPC, RpcError } from '../../src/rpc/errors.js';

describe('RPC', () => {
  it('the codes are those of the documentation', () => {
    expect(RPC).toEqual({
      PARSE_ERROR: -32700,
      INVALID_REQUEST: -32600,
      METHOD_NOT_FOUND: -32601,
      INVALID_PARAMS: -32602,
      INTERNAL_ERROR: -32603,
      CANCELLED: -32800,
      DEADLINE: -31001,
      OVERLOADED: -31002,
      LOST: -31003,
      TOO_LARGE: -31004,
      INVALID_RESULT: -31005,
      NOT_IDEMPOTENT: -31006,
    });
  });
});

describe('RpcError', () => {
  it('code, message, data and cause', () => {
    const cause = new Error('why');
    const error = new RpcError(5, 'what', { data: [1], cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'RpcError', code: 5, message: 'what', data: [1], cause });
  });

  it('without a cause it has no such member', () => {
    expect('cause' in new RpcError(5, 'what')).toBe(false);
    expect(new RpcError(5, 'what').data).toBeUndefined();
  });

  it('of a call of ours -> told apart from those for a caller, and whether the peer sent it', () => {
    const sent = new CallError({ code: 5, message: 'm', data: 1 }, { isRemote: true });
    expect(sent).toMatchObject({ name: 'RpcError', code: 5, message: 'm', data: 1, isRemote: true });
    expect(sent).toBeInstanceOf(RpcError);
    const cause = new Error('why');
    expect(ofCall(new RpcError(5, 'm', { cause }))).toMatchObject({
      code: 5,
      message: 'm',
      cause,
      isRemote: false,
    });
    expect(ofCall(sent)).toBe(sent);
    expect(ofCall(cause)).toBe(cause);
  });

  it('the connection is lost -> what is known, and why', () => {
    const cause = new Error('gone');
    expect(lostError('not-sent', cause)).toMatchObject({
      code: RPC.LOST,
      message: 'gone',
      data: { outcome: 'not-sent' },
      cause,
    });
  });
});
