// openai's client of the Responses API over a WebSocket: text, a function call and its output in a following response, an
// error, and the end.
import { ResponsesWS } from 'openai/resources/responses/ws';
import { openai, report, TOOLS } from './talk.mjs';

const client = new ResponsesWS(openai, { headers: { 'X-Trace': 'one' } });
const events = client.stream();
const seen = {};
const userSays = (content) => ({ type: 'message', role: 'user', content });

/** Sends one `response.create`; the events up to its end. */
async function respond(request) {
  client.send({ type: 'response.create', model: 'gpt-5', ...request });
  const messages = [];
  for (;;) {
    const { value: event } = await events.next();
    if (event.type === 'error') return event.error.error.error.code;
    if (event.type !== 'message') continue;
    messages.push(event.message);
    if (event.message.type === 'response.completed') return messages;
  }
}
const deltas = (messages, type) => messages.filter((each) => each.type === type).map(({ delta }) => delta);

const hello = await respond({ input: [userSays('say hello')] });
seen.text = deltas(hello, 'response.output_text.delta');
seen.sequence = hello.map((each) => each.sequence_number);

const asked = await respond({ input: [userSays('the weather?')], tools: TOOLS });
seen.argumentDeltas = deltas(asked, 'response.function_call_arguments.delta');
const { item } = asked.find(({ type }) => type === 'response.output_item.done');
seen.arguments = JSON.parse(item.arguments);
const told = await respond({
  previous_response_id: asked.at(-1).response.id,
  input: [{ type: 'function_call_output', call_id: item.call_id, output: 'raining' }],
});
seen.answer = deltas(told, 'response.output_text.delta').join('');

seen.error = await respond({ previous_response_id: 'resp_none', input: [userSays('?')] });

const closed = new Promise((resolve) => client.once('close', (code, reason) => resolve([code, reason])));
client.sendRaw(JSON.stringify({ type: 'test.close', code: 1000, reason: 'limit reached' }));
seen.closed = await closed;
report(client.socket.platformSocket, seen);
