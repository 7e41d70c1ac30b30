// `for await (const { data, isBinary } of socket)`: messages pulled at the consumer's pace. While the consumer lags the
// socket is not read, so that TCP holds the peer back; what had been read already waits here.

import type { EventEmitter } from 'node:events';
import { CLOSED, type ReadyState } from './constants.js';

/** What is iterated over. */
interface MessageSource extends EventEmitter {
  readonly readyState: ReadyState;
  readonly isPaused: boolean;
  pause(): void;
  resume(): void;
  close(): void;
}

export interface Message {
  /** Text is a Buffer, as in the 'message' event; binary has the form that `binaryType` says. */
  data: unknown;
  isBinary: boolean;
}

/** As soon as one message waits, reading stops: at most the rest of one read piles up. */
export async function* iterateMessages(webSocket: MessageSource): AsyncGenerator<Message, void, undefined> {
  const waiting: Message[] = [];
  let failure: Error | undefined;
  let isClosed = webSocket.readyState === CLOSED;
  let wake: (() => void) | undefined;
  const signal = (): void => {
    wake?.();
    wake = undefined;
  };
  const onMessage = (data: unknown, isBinary: boolean): void => {
    waiting.push({ data, isBinary });
    if (!webSocket.isPaused) webSocket.pause();
    signal();
  };
  const onError = (error: Error): void => {
    failure = error;
    signal();
  };
  const onClose = (): void => {
    isClosed = true;
    signal();
  };
  webSocket.on('message', onMessage);
  webSocket.on('error', onError);
  webSocket.on('close', onClose);
  try {
    for (;;) {
      const message = waiting.shift();
      if (message !== undefined) {
        yield message;
        continue;
      }
      if (failure !== undefined) throw failure;
      if (isClosed) return;
      if (webSocket.isPaused) webSocket.resume();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    webSocket.off('message', onMessage);
    webSocket.off('error', onError);
    webSocket.off('close', onClose);
    // A consumer that leaves the loop ends the connection, as leaving a loop over a stream destroys the stream.
    if (!isClosed) {
      webSocket.close();
      webSocket.resume();
    }
  }
}
