// openai's realtime client: text, a function call and its output, audio, an error, and the end. Argument 1 is its flavour:
// `ws` (openai/realtime/ws) or `global` (openai/realtime/websocket, which takes globalThis.WebSocket).
import { openai, report, TOOLS, WebSocket } from './talk.mjs';

const [, , flavour, ending] = process.argv;
globalThis.WebSocket = WebSocket;
const rt =
  flavour === 'ws'
    ? new (await import('openai/realtime/ws')).OpenAIRealtimeWS({ model: 'gpt-realtime' }, openai)
    : new (await import('openai/realtime/websocket')).OpenAIRealtimeWebSocket(
        { model: 'gpt-realtime' },
        openai,
      );

const emitted = (type) => new Promise((resolve) => rt.once(type, resolve));
const closed = new Promise((resolve) =>
  rt.socket.addEventListener('close', ({ code, reason, wasClean }) => resolve([code, reason, wasClean])),
);
const errors = [];
rt.on('error', (error) => errors.push(error.error?.code ?? error.message));

if (ending === 'refused') {
  const [code] = await closed;
  report(rt.socket, { errors, code });
  process.exit();
}

const created = await emitted('session.created');
const seen = { protocol: rt.socket.protocol, model: created.session.model };

rt.send({ type: 'session.update', session: { type: 'realtime', instructions: 'be brief ☃' } });
seen.instructions = (await emitted('session.updated')).session.instructions;

/** Asks for a response and collects the deltas of one type. */
async function deltas(type) {
  const collected = [];
  const collect = ({ delta }) => collected.push(delta);
  rt.on(type, collect);
  const done = emitted('response.done');
  rt.send({ type: 'response.create' });
  await done;
  rt.off(type, collect);
  return collected;
}
const ask = (text) =>
  rt.send({
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
  });

ask('say hello');
seen.text = await deltas('response.output_text.delta');

rt.send({ type: 'session.update', session: { type: 'realtime', tools: TOOLS } });
ask('what is the weather?');
const called = emitted('response.function_call_arguments.done');
seen.argumentDeltas = await deltas('response.function_call_arguments.delta');
const call = await called;
seen.arguments = JSON.parse(call.arguments);
rt.send({
  type: 'conversation.item.create',
  item: { type: 'function_call_output', call_id: call.call_id, output: 'raining' },
});
seen.answer = (await deltas('response.output_text.delta')).join('');

// 24 kHz PCM16, a second in five chunks, larger than a frame with a 16-bit length.
const sound = Buffer.from(Array.from({ length: 480_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
for (let at = 0; at < sound.length; at += 96_000) {
  rt.send({ type: 'input_audio_buffer.append', audio: sound.subarray(at, at + 96_000).toString('base64') });
}
rt.send({ type: 'input_audio_buffer.commit' });
await emitted('input_audio_buffer.committed');
const voice = await deltas('response.output_audio.delta');
seen.audio = Buffer.concat(voice.map((delta) => Buffer.from(delta, 'base64'))).equals(sound);

const failed = emitted('error');
rt.send({ type: 'no.such.event', event_id: 'mine' });
seen.errorEventId = (await failed).error.event_id;

if (ending === 'client') rt.close();
else rt.send({ type: 'test.close', code: 4004, reason: 'session expired' });
seen.closed = await closed;
report(rt.socket, { ...seen, errors });
