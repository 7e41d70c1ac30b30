// What every program in this folder shares: it names the package that answers to `ws` for the packages that the
// program is about, runs the exchange, and prints one line of JSON with what was done.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';

const require = createRequire(import.meta.url);
const wsFolder = join(
  import.meta.dirname ?? dirname(new URL(import.meta.url).pathname),
  'node_modules',
  'ws',
);

/** Runs `program` and reports; any rejection ends the process with a failure. */
export async function exchange(dependents, program) {
  for (const dependent of dependents) {
    const resolved = createRequire(require.resolve(dependent)).resolve('ws');
    assert.ok(resolved.startsWith(wsFolder + sep), `${dependent} would load ${resolved}`);
  }
  const steps = [];
  await program((step) => {
    steps.push(step);
    console.error(`done: ${step}`); // What the test shows of a program that did not come to its end.
  });
  const loaded = Object.keys(require.cache).filter((file) => file.startsWith(wsFolder + sep));
  assert.notEqual(loaded.length, 0, 'nothing of the package under test was loaded');
  const { name } = JSON.parse(readFileSync(join(wsFolder, 'package.json'), 'utf8'));
  console.log(JSON.stringify({ ws: name, steps }));
}

/** Listens on a free port of the loopback and resolves with the port. */
export async function listen(httpServer) {
  httpServer.listen(0, '127.0.0.1');
  await once(httpServer, 'listening');
  return httpServer.address().port;
}

/** Bytes that differ from place to place. */
export function pattern(length) {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}
