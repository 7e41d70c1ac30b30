// Arithmetic in text: a parser by recursive descent that computes while it reads, with one method for each level of
// precedence. It never runs what it reads as a program.
//
//   sum     = product (("+" | "-") product)*
//   product = sign (("*" | "/" | "%") sign)*
//   sign    = ("+" | "-") sign | power
//   power   = atom ("^" sign)?                      so that -2^2 = -4, and 2^3^2 = 2^9
//   atom    = number | constant | function "(" sum ("," sum)* ")" | "(" sum ")"

/** The text is no expression; `at` is where that shows, counted from 0. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  readonly at: number;

  constructor(message: string, at: number) {
    super(`${message} at position ${at + 1}`);
    this.at = at;
  }
}

const MAX_DEPTH = 100;

const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['e', Math.E],
  ['pi', Math.PI],
]);

const FUNCTIONS: ReadonlyMap<string, (...values: number[]) => number> = new Map([
  ['abs', Math.abs],
  ['ceil', Math.ceil],
  ['cos', Math.cos],
  ['exp', Math.exp],
  ['floor', Math.floor],
  ['ln', Math.log],
  ['log', Math.log10],
  ['max', Math.max],
  ['min', Math.min],
  ['round', Math.round],
  ['sin', Math.sin],
  ['sqrt', Math.sqrt],
  ['tan', Math.tan],
]);

/** Those that take as many values as there are; the others take one. */
const VARIADIC = new Set(['max', 'min']);

/**
 * @returns what the expression comes to, which may be infinite or no number at all, as in 1/0 and 0/0
 * @throws ExpressionError
 */
export function evaluate(expression: string): number {
  return new Evaluation(expression).result();
}

class Evaluation {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  result(): number {
    const value = this.#sum();
    if (this.#at < this.#text.length) throw this.#unexpected('an operator');
    return value;
  }

  #sum(): number {
    let value = this.#product();
    for (;;) {
      if (this.#take('+')) value += this.#product();
      else if (this.#take('-')) value -= this.#product();
      else return value;
    }
  }

  #product(): number {
    let value = this.#sign();
    for (;;) {
      if (this.#take('*')) value *= this.#sign();
      else if (this.#take('/')) value /= this.#sign();
      else if (this.#take('%')) value %= this.#sign();
      else return value;
    }
  }

  /** Everything that nests passes here, so this is where depth is counted. */
  #sign(): number {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new ExpressionError('this is nested too deeply', this.#at);
    const value = this.#take('-') ? -this.#sign() : this.#take('+') ? this.#sign() : this.#power();
    this.#depth -= 1;
    return value;
  }

  #power(): number {
    const base = this.#atom();
    return this.#take('^') ? base ** this.#sign() : base;
  }

  #atom(): number {
    const number = this.#match(/(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy);
    if (number !== undefined) return Number(number);
    if (this.#take('(')) {
      const value = this.#sum();
      this.#expect(')');
      return value;
    }
    const at = this.#at;
    const name = this.#match(/[a-z]+/iy)?.toLowerCase();
    if (name === undefined) throw this.#unexpected('a number');
    return CONSTANTS.get(name) ?? this.#call(name, at);
  }

  #call(name: string, at: number): number {
    const compute = FUNCTIONS.get(name);
    if (compute === undefined) throw new ExpressionError(`"${name}" is not known`, at);
    this.#expect('(');
    const values = [this.#sum()];
    while (VARIADIC.has(name) && this.#take(',')) values.push(this.#sum());
    this.#expect(')');
    return compute(...values);
  }

  #take(symbol: string): boolean {
    this.#skipSpace();
    const isThere = this.#text.startsWith(symbol, this.#at);
    if (isThere) this.#at += symbol.length;
    return isThere;
  }

  #expect(symbol: string): void {
    if (!this.#take(symbol)) throw this.#unexpected(`"${symbol}"`);
  }

  /** @param pattern sticky */
  #match(pattern: RegExp): string | undefined {
    this.#skipSpace();
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text.charAt(this.#at))) this.#at += 1;
  }

  #unexpected(expected: string): ExpressionError {
    return new ExpressionError(`${expected} was expected`, this.#at);
  }
}
