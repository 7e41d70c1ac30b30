// What the programs of this folder share. Each is a user's program: `openai` finds hawser as `ws`; it talks to the stand-in
// server at BASE_URL and prints one line of JSON with what it saw.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import OpenAI from 'openai';

const require = createRequire(import.meta.url);
const openaiRequire = createRequire(require.resolve('openai'));

/** The class that `openai` loads as `ws`. */
export const { WebSocket } = openaiRequire('ws');
const { name } = JSON.parse(readFileSync(openaiRequire.resolve('ws/package.json'), 'utf8'));

export const openai = new OpenAI({
  baseURL: process.env.BASE_URL,
  apiKey: process.env.API_KEY,
  maxRetries: 0,
});

export const TOOLS = [
  {
    type: 'function',
    name: 'weather',
    description: 'the weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
    strict: false,
  },
];

/** Prints what was seen; `socket` says whose class it is. */
export function report(socket, seen) {
  console.log(JSON.stringify({ ws: socket instanceof WebSocket ? name : 'another class', ...seen }));
}
