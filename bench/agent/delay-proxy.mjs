// A TCP connection that is far away: what arrives is passed on after half of the round-trip time, in both directions, in
// order. A process of its own, so that its timers and its CPU time are not those of what is measured. It delays, and
// nothing else: no loss, no bound on the bandwidth.
import { connect, createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { answer } from '../ipc.mjs';

const { values } = parseArgs({
  options: { port: { type: 'string' }, rtt: { type: 'string', default: '40' } },
});
const delayMs = Number(values.rtt) / 2;

/** Node runs timers of one length in the order in which they were set. @param {import('node:net').Socket} from @param {import('node:net').Socket} to */
function passOn(from, to) {
  from.on('data', (bytes) => setTimeout(() => to.write(bytes), delayMs));
  from.on('end', () => setTimeout(() => to.end(), delayMs));
  from.on('error', () => to.destroy());
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  const far = connect({ port: Number(values.port), host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  passOn(near, far);
  passOn(far, near);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));

answer({ describe: () => ({ port: /** @type {any} */ (server.address()).port }) });
