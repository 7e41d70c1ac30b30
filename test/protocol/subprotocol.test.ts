import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as npmWs from 'ws';
import {
  checkSubprotocolChoice,
  checkSubprotocolOffer,
  chooseSubprotocol,
  parseSubprotocols,
} from '../../src/protocol/subprotocol.js';
import { countingText } from '../support/counting.js';

// @types/ws does not know this export.
const npm = npmWs as unknown as { subprotocol: { parse: (header: string) => Set<string> } };

describe('parseSubprotocols', () => {
  it.each([
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    ['a, b', ['a', 'b']],
    ['a\t ,\t b', ['a', 'b']],
    ['A,a', ['A', 'a']],
    ['constructor, __proto__', ['constructor', '__proto__']],
  ])('[RFC6455-11.3.4-1] server, header %j -> %j in order', (header, names) => {
    expect([...parseSubprotocols(header)]).toEqual(names);
  });

  it.each([
    ['', 'Unexpected end of input'],
    ['a,', 'Unexpected end of input'],
    ['a, ', 'Unexpected end of input'],
    ['a ', 'Unexpected end of input'],
    ['a\t', 'Unexpected end of input'],
    ['a,a ', 'Unexpected end of input'],
    [' a', 'Unexpected character at index 0'],
    [',', 'Unexpected character at index 0'],
    ['é', 'Unexpected character at index 0'],
    ['a;b', 'Unexpected character at index 1'],
    ['a\u0100', 'Unexpected character at index 1'],
    ['a,,b', 'Unexpected character at index 2'],
    ['a b', 'Unexpected character at index 2'],
    ['a  b', 'Unexpected character at index 3'],
    ['a, "b"', 'Unexpected character at index 3'],
    ['a, a', 'The "a" subprotocol is duplicated'],
    ['x,y,x,', 'The "x" subprotocol is duplicated'],
  ])('[RFC6455-4.3-2] server, header %j -> SyntaxError "%s"', (header, message) => {
    expect(() => parseSubprotocols(header)).toThrow(new SyntaxError(message));
  });

  it('agrees with npm ws on any header', () => {
    const attempt = (parse: (header: string) => Set<string>, header: string) => {
      try {
        return [...parse(header)];
      } catch (error) {
        return String(error);
      }
    };
    const header = fc.string({ unit: fc.constantFrom('a', 'b', 'ab', ',', ', ', ' ', '\t', ';', '"', 'é') });
    fc.assert(
      fc.property(header, (text) => {
        expect(attempt(parseSubprotocols, text)).toEqual(attempt(npm.subprotocol.parse, text));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['a name, 16 KiB of spaces and a name', `b${' '.repeat(16 * 1024)}x`],
    ['16 KiB of name', 'b'.repeat(16 * 1024)],
    ['spaces behind each comma', Array.from({ length: 1000 }, (_, n) => `${n}`).join(`,${' '.repeat(16)}`)],
  ])('hostile header of %s -> each character is read a few times', (_, text) => {
    const { counted, reads } = countingText(text);
    try {
      parseSubprotocols(counted);
    } catch (error) {
      expect(error).toBeInstanceOf(SyntaxError);
    }
    expect(reads()).toBeLessThanOrEqual(3 * text.length);
    expect(reads()).toBeGreaterThanOrEqual(text.length);
  });
});

describe('checkSubprotocolOffer', () => {
  it('[RFC6455-4.1-28] client, one name or an array -> the names in order', () => {
    expect([...checkSubprotocolOffer('a')]).toEqual(['a']);
    expect([...checkSubprotocolOffer(['b', 'a', 'A', 'constructor'])]).toEqual([
      'b',
      'a',
      'A',
      'constructor',
    ]);
    expect([...checkSubprotocolOffer([])]).toEqual([]);
  });

  it.each(['', 'a b', 'a,b', 'é', 'a;', null, 5, true, [''], ['a', null], [undefined], [['a']]])(
    '[RFC6455-4.1-29] client, %j -> SyntaxError',
    (protocols) => {
      expect(() => checkSubprotocolOffer(protocols)).toThrow(
        new SyntaxError('An invalid or duplicated subprotocol was specified'),
      );
    },
  );

  it('[RFC6455-4.1-30] client, the same name twice -> SyntaxError', () => {
    expect(() => checkSubprotocolOffer(['a', 'b', 'a'])).toThrow(
      new SyntaxError('An invalid or duplicated subprotocol was specified'),
    );
  });
});

describe('checkSubprotocolChoice', () => {
  const offer = new Set(['a', 'b']);
  const none = new Set<string>();

  it.each([
    ['an offered name', offer, 'b', undefined],
    ['nothing offered or chosen', none, undefined, undefined],
    ['nothing chosen', offer, undefined, 'Server sent no subprotocol'],
    ['nothing offered', none, 'a', 'Server sent a subprotocol but none was requested'],
    ['nothing offered, an empty choice', none, '', 'Server sent a subprotocol but none was requested'],
    ['a name that was not offered', offer, 'c', 'Server sent an invalid subprotocol'],
    ['a name in another case', offer, 'A', 'Server sent an invalid subprotocol'],
  ])('[RFC6455-4.1-40] client, %s -> %4$j', (_, offered, choice, fault) => {
    expect(checkSubprotocolChoice(offered, choice)).toBe(fault);
  });

  it('[RFC6455-4.2.2-11] client, an empty choice -> refused', () => {
    expect(checkSubprotocolChoice(offer, '')).toBe('Server sent an invalid subprotocol');
  });

  it('[RFC6455-11.3.4-2] client, two headers joined by Node.js -> refused', () => {
    expect(checkSubprotocolChoice(offer, 'a, b')).toBe('Server sent an invalid subprotocol');
  });
});

describe('chooseSubprotocol', () => {
  it('[RFC6455-4.2.2-9] server, no hook -> the first name of the offer', () => {
    expect(chooseSubprotocol(new Set(['b', 'a']))).toBe('b');
    expect(chooseSubprotocol(new Set(['b', 'a']), null)).toBe('b');
  });

  it('server, a hook -> what it chooses from the offer it is given', () => {
    const offer = new Set(['b', 'a']);
    expect(chooseSubprotocol(offer, (given) => (given === offer ? 'a' : 'wrong'))).toBe('a');
  });

  it('[RFC6455-4.2.2-10] server, no offer -> none, and the hook is not asked', () => {
    const hook = () => {
      throw new Error('asked');
    };
    expect(chooseSubprotocol(new Set(), hook)).toBeUndefined();
    expect(chooseSubprotocol(new Set())).toBeUndefined();
  });

  it.each([false, '', null, undefined, 0])(
    '[RFC6455-4.2.2-10] server, the hook gives %j -> none',
    (choice) => {
      expect(chooseSubprotocol(new Set(['a']), () => choice)).toBeUndefined();
    },
  );

  it('server, the hook gives a token that was not offered, or a number -> it is taken, as in ws', () => {
    expect(chooseSubprotocol(new Set(['a']), () => 'zzz')).toBe('zzz');
    expect(chooseSubprotocol(new Set(['a']), () => 7)).toBe('7');
  });

  it.each(['x\r\nX-Evil: 1', 'a b', 'a,b', 'é', Promise.resolve('a'), {}])(
    'server, the hook gives %j, which is no token -> TypeError',
    (choice) => {
      expect(() => chooseSubprotocol(new Set(['a']), () => choice)).toThrow(TypeError);
    },
  );
});
