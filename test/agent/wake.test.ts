import { describe, expect, it } from 'vitest';
import { onWake, type WakeScope } from '../../src/agent/wake.js';

/** An EventTarget that knows how many listen. */
class CountingTarget extends EventTarget {
  visibilityState = 'visible';
  listeners = 0;
  override addEventListener(type: string, listener: () => void): void {
    this.listeners++;
    super.addEventListener(type, listener);
  }
  override removeEventListener(type: string, listener: () => void): void {
    this.listeners--;
    super.removeEventListener(type, listener);
  }
  tell(type: string): void {
    this.dispatchEvent(new Event(type));
  }
}

function browser() {
  const document = new CountingTarget();
  const window = Object.assign(new CountingTarget(), { document });
  let wakes = 0;
  const stop = onWake(() => wakes++, window);
  return { window, document, stop, wakes: () => wakes };
}

describe('onWake', () => {
  it.each(['online', 'pageshow'])('%s of the window -> runs', (type) => {
    const { window, wakes } = browser();
    window.tell(type);
    window.tell(type);
    expect(wakes()).toBe(2);
  });

  it('resume of the document -> runs', () => {
    const { document, wakes } = browser();
    document.tell('resume');
    expect(wakes()).toBe(1);
  });

  it('a page that becomes visible -> runs; one that is hidden -> does not', () => {
    const { document, wakes } = browser();
    document.visibilityState = 'hidden';
    document.tell('visibilitychange');
    expect(wakes()).toBe(0);
    document.visibilityState = 'visible';
    document.tell('visibilitychange');
    expect(wakes()).toBe(1);
  });

  it('hands nothing of the event over', () => {
    const window = new CountingTarget();
    let count: number | undefined;
    onWake((...args: unknown[]) => {
      count = args.length;
    }, window);
    window.tell('online');
    expect(count).toBe(0);
  });

  it('unsubscribed -> runs no more and leaves no listener', () => {
    const { window, document, stop, wakes } = browser();
    expect([window.listeners, document.listeners]).toEqual([2, 2]);
    stop();
    expect([window.listeners, document.listeners]).toEqual([0, 0]);
    for (const type of ['online', 'pageshow']) window.tell(type);
    for (const type of ['visibilitychange', 'resume']) document.tell(type);
    expect(wakes()).toBe(0);
  });

  it('two with the same function -> each has its own subscription', () => {
    const window = new CountingTarget();
    let wakes = 0;
    const run = (): number => wakes++;
    const stop = onWake(run, window);
    onWake(run, window);
    stop();
    window.tell('online');
    expect(wakes).toBe(1);
  });

  it('a worker, which has no document -> listens to what there is', () => {
    const worker = new CountingTarget();
    let wakes = 0;
    onWake(() => wakes++, worker)();
    expect(worker.listeners).toBe(0);
    onWake(() => wakes++, worker);
    worker.tell('online');
    expect(wakes).toBe(1);
  });

  it('no browser -> nothing, on the real global object and on a bare one', () => {
    const bare: WakeScope = {};
    for (const stop of [onWake(() => {}), onWake(() => {}, bare)]) stop();
    expect(bare).toEqual({});
  });
});
