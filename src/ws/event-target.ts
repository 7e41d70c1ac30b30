// The browser's way to listen (`addEventListener`, `onmessage`) on top of an EventEmitter, for the four events that it
// knows. The event objects carry what `ws` gives them, no more.

import type { EventEmitter } from 'node:events';

export class Event {
  readonly #target: object;
  readonly #type: string;

  constructor(type: string, target: object) {
    this.#type = type;
    this.#target = target;
  }

  get target(): object {
    return this.#target;
  }

  get type(): string {
    return this.#type;
  }
}

export class MessageEvent extends Event {
  readonly #data: unknown;

  constructor(target: object, data: unknown) {
    super('message', target);
    this.#data = data;
  }

  /** A string for text, otherwise what `binaryType` says. */
  get data(): unknown {
    return this.#data;
  }
}

export class CloseEvent extends Event {
  readonly #code: number;
  readonly #reason: string;
  readonly #wasClean: boolean;

  constructor(target: object, code: number, reason: string, wasClean: boolean) {
    super('close', target);
    this.#code = code;
    this.#reason = reason;
    this.#wasClean = wasClean;
  }

  get code(): number {
    return this.#code;
  }

  get reason(): string {
    return this.#reason;
  }

  get wasClean(): boolean {
    return this.#wasClean;
  }
}

export class ErrorEvent extends Event {
  readonly #error: Error;

  constructor(target: object, error: Error) {
    super('error', target);
    this.#error = error;
  }

  get error(): Error {
    return this.#error;
  }

  get message(): string {
    return this.#error.message;
  }
}

for (const [eventClass, names] of [
  [Event, ['target', 'type']],
  [MessageEvent, ['data']],
  [CloseEvent, ['code', 'reason', 'wasClean']],
  [ErrorEvent, ['error', 'message']],
] as const) {
  for (const name of names) Object.defineProperty(eventClass.prototype, name, { enumerable: true });
}

/** A WebSocket as this file sees it. */
interface Target extends EventEmitter {
  readonly wasClean: boolean;
}

type Handler = ((event: Event) => void) | { handleEvent(event: Event): void };

/** The function that really listens, and what it was made from. */
interface Wrapper {
  (...args: unknown[]): void;
  handler: Handler;
  isAttribute: boolean;
}

export const EVENT_TYPES = ['open', 'message', 'close', 'error'] as const;

/** How the arguments of an emitted event become an event object. */
function makeEvent(target: Target, type: string, args: unknown[]): Event {
  switch (type) {
    case 'message':
      return new MessageEvent(target, args[1] ? args[0] : String(args[0]));
    case 'close':
      return new CloseEvent(target, args[0] as number, String(args[1]), target.wasClean);
    case 'error':
      return new ErrorEvent(target, args[0] as Error);
    default:
      return new Event(type, target);
  }
}

function wrap(type: string, handler: Handler, isAttribute: boolean): Wrapper {
  const wrapper = function (this: Target, ...args: unknown[]): void {
    const event = makeEvent(this, type, args);
    if (typeof handler === 'function') handler.call(this, event);
    else handler.handleEvent(event);
  };
  return Object.assign(wrapper, { handler, isAttribute }) as Wrapper;
}

function findWrapper(
  target: EventEmitter,
  type: string,
  matches: (wrapper: Wrapper) => boolean,
): Wrapper | undefined {
  return (target.listeners(type) as Wrapper[]).find(
    (listener) => listener.handler !== undefined && matches(listener),
  );
}

/** Listens to one of the four event types, once per handler; other types are ignored. */
export function addEventListener(
  this: EventEmitter,
  type: string,
  handler: Handler,
  options: { once?: boolean } = {},
): void {
  if (!EVENT_TYPES.includes(type as (typeof EVENT_TYPES)[number])) return;
  if (findWrapper(this, type, (listener) => !listener.isAttribute && listener.handler === handler)) return;
  const wrapper = wrap(type, handler, false);
  if (options.once) this.once(type, wrapper);
  else this.on(type, wrapper);
}

/** Removes what `addEventListener` added. */
export function removeEventListener(this: EventEmitter, type: string, handler: Handler): void {
  const wrapper = findWrapper(
    this,
    type,
    (listener) => !listener.isAttribute && listener.handler === handler,
  );
  if (wrapper !== undefined) this.removeListener(type, wrapper);
}

/** The handler that `on<type>` was set to, or null. */
export function getAttributeHandler(target: EventEmitter, type: string): Handler | null {
  return findWrapper(target, type, (listener) => listener.isAttribute)?.handler ?? null;
}

/** Sets `on<type>`; anything but a function clears it. */
export function setAttributeHandler(target: EventEmitter, type: string, handler: unknown): void {
  const old = findWrapper(target, type, (listener) => listener.isAttribute);
  if (old !== undefined) target.removeListener(type, old);
  if (typeof handler === 'function') target.on(type, wrap(type, handler as Handler, true));
}
