import { expect, it } from 'vitest';
import { closesTransportFirst, peerOf, receivesMasked, sendsMasked } from '../../src/protocol/role.js';
import { ROLES } from '../support/engine.js';

it('[RFC6455-5.1-1] [RFC6455-5.1-4] client masks what it sends, server does not', () => {
  expect(ROLES.map(sendsMasked)).toEqual([true, false]);
});

it('[RFC6455-5.1-2] [RFC6455-5.1-5] both roles, expect of the peer what the peer must do', () => {
  for (const role of ROLES) expect(receivesMasked(role)).toBe(sendsMasked(peerOf(role)));
});

it('[RFC6455-7.1.1-3] server closes TCP first, client does not', () => {
  expect(ROLES.map(closesTransportFirst)).toEqual([false, true]);
});

it('peerOf is the other end', () => {
  expect(ROLES.map(peerOf)).toEqual(['server', 'client']);
});
