// openai's own recovery: the connection is torn, the client makes another one, and goes on there. Argument 1 is the flavour.
import { openai, report, WebSocket } from './talk.mjs';

const [, , flavour] = process.argv;
globalThis.WebSocket = WebSocket;
const options = { model: 'gpt-realtime', reconnect: true, reconnectInitialDelay: 1, reconnectMaxDelay: 1 };
const rt =
  flavour === 'ws'
    ? new (await import('openai/realtime/ws')).OpenAIRealtimeWS(options, openai)
    : new (await import('openai/realtime/websocket')).OpenAIRealtimeWebSocket(options, openai);

const emitted = (type) => new Promise((resolve) => rt.once(type, resolve));
rt.on('error', () => {});
await emitted('session.created');
const first = rt.socket;
const [reconnecting, reconnected, created] = ['reconnecting', 'reconnected', 'session.created'].map(emitted);
rt.send({ type: 'test.drop' });
const { closeCode } = await reconnecting;
await Promise.all([reconnected, created]);
const isAnother = rt.socket !== first;
const closed = new Promise((resolve) => rt.once('close', (code, reason) => resolve([code, reason])));
rt.close();
report(rt.socket, { closeCode, isAnother, closed: await closed });
