// The client under test: runs every case of a fuzzing server. `node echo-client.mjs hawser|ws URL`
import { createRequire } from 'node:module';

const [, , agent, url] = process.argv;
const WebSocket = createRequire(import.meta.url)(agent === 'ws' ? 'ws' : '../dist/index.js');

/** Connects, echoes what comes, and returns the last message once the connection is over. */
async function run(path) {
  const socket = new WebSocket(url + path, { perMessageDeflate: true });
  let last;
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => {
    last = data;
    if (path.startsWith('/runCase')) socket.send(data, { binary: isBinary });
  });
  // Not `once()` of node:events, which rejects at the error that many cases are there to cause.
  await new Promise((resolve) => socket.on('close', resolve));
  return last;
}

const count = Number(await run('/getCaseCount'));
if (!(count > 0)) {
  console.error(`${url}/getCaseCount gave no number of cases`);
  process.exit(1);
}
for (let number = 1; number <= count; number++) await run(`/runCase?case=${number}&agent=${agent}`);
await run(`/updateReports?agent=${agent}`);
console.log(`${agent}: ${count} cases`);
