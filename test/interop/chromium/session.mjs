// What the page in Chromium does with `hawser/agent`: chromium-session.test.ts bundles this for browsers, calls the functions
// and judges what they answer.
import { connectSession } from 'hawser/agent';

let session;

/** Begins a session, and resolves when it is open. */
export async function open(url, options) {
  session = connectSession(url, options);
  await session.ready;
}

/** Sends 1…count, as text and as bytes by turns; resolves, when the server ended the session, with the numbers that came. */
export async function exchange(count) {
  const received = [];
  const receiving = (async () => {
    for await (const message of session)
      received.push(Number(typeof message === 'string' ? message : new TextDecoder().decode(message)));
  })();
  for (let number = 1; number <= count; number++) {
    const text = String(number).padEnd(100);
    await session.send(number % 2 === 0 ? text : new TextEncoder().encode(text));
  }
  await receiving;
  return received;
}

/** Resolves with what the next event of this name says of itself. */
export function nextEvent(name) {
  return new Promise((resolve) => session.once(name, resolve));
}

/** Sends one message, and resolves when the server has it. */
export async function say(text) {
  await session.send(text);
  await session.flush();
}

/** From now on every delay is as long as it may be. */
export function drawLargestNumbers() {
  Math.random = () => 1 - Number.EPSILON;
}

export function state() {
  return session.state;
}
