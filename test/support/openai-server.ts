// A stand-in for the two WebSocket endpoints of OpenAI's API, over TLS: the documented messages of /v1/realtime and
// /v1/responses, from a model that can say three words, ask for the weather, and repeat the audio that it was sent.
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Package } from '../behaviour/implementations.js';
import { CERTIFICATE, PRIVATE_KEY } from './certificate.js';
import { next } from './events.js';

// biome-ignore lint/suspicious/noExplicitAny: JSON as it comes
type Json = Record<string, any>;

const KEY = 'sk-of-the-test';

/** What one connection did. */
export interface Visit {
  url: string;
  headers: IncomingMessage['headers'];
  /** The types of the events that the client sent. */
  events: string[];
  /** The code and the reason with which it ended. */
  closed: Promise<[number, string]>;
}

/** Listens on a free port with the given package's WebSocketServer. */
export async function startOpenAI({ WebSocketServer }: Package) {
  const visits: Visit[] = [];
  const https = createServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
  const wss = new WebSocketServer({
    noServer: true,
    // The API answers with this one; the key, which comes as a subprotocol too, is not repeated.
    handleProtocols: (offered: Set<string>) => (offered.has('realtime') ? 'realtime' : false),
  });
  https.on('upgrade', (request, socket, head) => {
    if (!isAuthorized(request)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    wss.handleUpgrade(request, socket, head, (ws: Package) => {
      const events: string[] = [];
      const closed = next(ws, 'close').then(([code, reason]): [number, string] => [code, String(reason)]);
      visits.push({ url: request.url!, headers: request.headers, events, closed });
      const converse = request.url!.startsWith('/v1/responses') ? respond : converseInRealtime;
      const answer = converse((event) => ws.send(JSON.stringify(event)));
      ws.on('message', (data: Buffer) => {
        const event = JSON.parse(String(data));
        events.push(event.type);
        // Not in the API: how the tests make the connection end.
        if (event.type === 'test.close') ws.close(event.code, event.reason);
        else if (event.type === 'test.drop') ws.terminate();
        else answer(event);
      });
    });
  });
  https.listen(0, '127.0.0.1');
  await next(https, 'listening');
  return {
    baseURL: `https://127.0.0.1:${(https.address() as AddressInfo).port}/v1`,
    visits,
    close() {
      wss.close();
      https.close();
    },
  };
}

/** The key is in a header, or, from where there are none, in the name of a subprotocol. */
function isAuthorized({ headers }: IncomingMessage): boolean {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(/, */);
  return headers.authorization === `Bearer ${KEY}` || offered.includes(`openai-insecure-api-key.${KEY}`);
}

type Send = (event: Json) => void;

function converseInRealtime(send: Send): (event: Json) => void {
  let count = 0;
  const say: Send = (event) => send({ event_id: `event_${++count}`, ...event });
  let session: Json = { type: 'realtime', model: 'gpt-realtime', output_modalities: ['audio'] };
  const items: Json[] = [];
  const audio: string[] = [];
  say({ type: 'session.created', session });

  const answers: Record<string, (event: Json) => void> = {
    'session.update': (event) => {
      session = { ...session, ...event.session };
      say({ type: 'session.updated', session });
    },
    'conversation.item.create': ({ item }) => {
      items.push(item);
      say({ type: 'conversation.item.added', item, previous_item_id: null });
      say({ type: 'conversation.item.done', item, previous_item_id: null });
    },
    'input_audio_buffer.append': (event) => audio.push(event.audio),
    'input_audio_buffer.commit': () => say({ type: 'input_audio_buffer.committed', item_id: 'item_audio' }),
    'response.create': () => {
      const response = {
        id: `resp_${count}`,
        object: 'realtime.response',
        status: 'in_progress',
        output: [],
      };
      say({ type: 'response.created', response });
      if (audio.length > 0) sayAloud(say, response.id, audio.splice(0));
      else answerItem(say, response.id, items.at(-1)!, session.tools !== undefined);
      say({ type: 'response.done', response: { ...response, status: 'completed' } });
    },
  };
  return (event) => {
    if (Object.hasOwn(answers, event.type)) return answers[event.type]!(event);
    const message = `Invalid value: '${event.type}'.`;
    const error = { type: 'invalid_request_error', code: 'invalid_value', message, param: 'type' };
    say({ type: 'error', error: { ...error, event_id: event.event_id } });
  };
}

function sayAloud(say: Send, responseId: string, chunks: string[]): void {
  const where = { response_id: responseId, item_id: 'item_voice', output_index: 0, content_index: 0 };
  for (const delta of chunks) say({ type: 'response.output_audio.delta', ...where, delta });
  say({ type: 'response.output_audio.done', ...where });
}

function respond(send: Send): (event: Json) => void {
  let count = 0;
  let sequence = 0;
  const say: Send = (event) => send({ sequence_number: sequence++, ...event });
  return (event) => {
    const known = event.previous_response_id === undefined || event.previous_response_id === `resp_${count}`;
    if (event.type !== 'response.create' || !known) {
      const code = known ? 'invalid_value' : 'previous_response_not_found';
      return send({
        type: 'error',
        status: 400,
        error: { type: 'invalid_request_error', code, message: code },
      });
    }
    const response = { id: `resp_${++count}`, object: 'response', model: event.model, output: [] };
    say({ type: 'response.created', response: { ...response, status: 'in_progress' } });
    answerItem(say, response.id, event.input.at(-1), event.tools !== undefined);
    say({ type: 'response.completed', response: { ...response, status: 'completed' } });
  };
}

/** The output for one item: a call of the function, its result as text, or three words. Both endpoints name these events alike. */
function answerItem(say: Send, responseId: string, item: Json, hasTools: boolean): void {
  const where = { response_id: responseId, item_id: 'item_answer', output_index: 0 };
  if (hasTools && item.type === 'message') {
    const call = { id: 'item_answer', type: 'function_call', call_id: 'call_1', name: 'weather' };
    const pieces = ['{"city"', ':"Malm', 'ö"}'];
    say({ type: 'response.output_item.added', ...where, item: { ...call, arguments: '' } });
    for (const delta of pieces) {
      say({ type: 'response.function_call_arguments.delta', ...where, call_id: 'call_1', delta });
    }
    const all = { name: 'weather', call_id: 'call_1', arguments: pieces.join('') };
    say({ type: 'response.function_call_arguments.done', ...where, ...all });
    say({ type: 'response.output_item.done', ...where, item: { ...call, ...all } });
    return;
  }
  const words = item.type === 'function_call_output' ? ['It is ', item.output] : ['Hello', ', ', 'wörld'];
  for (const delta of words) say({ type: 'response.output_text.delta', ...where, content_index: 0, delta });
  say({ type: 'response.output_text.done', ...where, content_index: 0, text: words.join('') });
}
