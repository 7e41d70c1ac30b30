// What is a message, what is wrong with the others, and what the peer is told of it.
import { describe, expect, it } from 'vitest';
import { readMessage } from '../../src/mcp/message.js';

const read = (value: unknown) => readMessage(JSON.stringify(value));
const code = (reading: ReturnType<typeof readMessage>) =>
  'fault' in reading ? [reading.answer?.error.code, reading.answer?.id] : 'fine';

describe('readMessage', () => {
  it.each([
    ['a request', { jsonrpc: '2.0', id: 0, method: 'ping' }],
    ['a request whose id is a string', { jsonrpc: '2.0', id: '', method: 'ping', params: {} }],
    ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }],
    ['a response', { jsonrpc: '2.0', id: 1, result: {} }],
    ['a response whose result is null', { jsonrpc: '2.0', id: 1, result: null }],
    ['an error', { jsonrpc: '2.0', id: 1, error: { code: 1, message: '' } }],
  ])('%s -> a message', (_name, message) => {
    expect(read(message)).toEqual({ message });
  });

  it.each([
    ['text that is no JSON', '{', -32700, null],
    ['nothing', '', -32700, null],
    ['a batch', '[{"jsonrpc":"2.0","method":"a"}]', -32600, null],
    ['an empty batch', '[]', -32600, null],
    ['null', 'null', -32600, null],
    ['a number', '1', -32600, null],
    ['an empty object', '{}', -32600, null],
    ['another version, with the id that it has', '{"jsonrpc":"1.0","id":7,"method":"a"}', -32600, 7],
    ['a method that is no name', '{"jsonrpc":"2.0","id":"x","method":1}', -32600, 'x'],
    ['an id that is none', '{"jsonrpc":"2.0","id":{},"method":"a"}', -32600, null],
    ['an id that no response can have', '{"jsonrpc":"2.0","id":1e999,"method":"a"}', -32600, null],
    ['a response to nothing', '{"jsonrpc":"2.0","result":{}}', -32600, null],
    ['neither request nor response', '{"jsonrpc":"2.0","id":1}', -32600, 1],
  ])('%s -> a fault, with an answer', (_name, text, expected, id) => {
    expect(code(readMessage(text))).toEqual([expected, id]);
  });

  it.each([
    ['an error that says that we were not understood', { jsonrpc: '2.0', id: null, error: { code: -32700 } }],
    ['an error without an id', { jsonrpc: '2.0', error: { code: -32700 } }],
    ['an error of another version', { id: 1, error: { code: -32700 } }],
  ])('%s -> a fault, and no answer, or there would be no end of them', (_name, message) => {
    expect(code(read(message))).toEqual([undefined, undefined]);
  });
});
