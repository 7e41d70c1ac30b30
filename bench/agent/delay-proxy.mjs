// A TCP connection that is far away: what arrives is passed on after half of the round-trip time, in both directions, in
// order. A process of its own, so that its timers and its CPU time are not those of what is measured. It delays, and cuts
// when it is asked to: no loss, no bound on the bandwidth. Making a connection takes no time, or with --handshake a round trip.
import { connect, createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { answer } from '../ipc.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    rtt: { type: 'string', default: '40' },
    handshake: { type: 'boolean', default: false },
  },
});
const delayMs = Number(values.rtt) / 2;

/** @type {Set<import('node:net').Socket>} */ const sockets = new Set();
/** When the last connection was made, on the machine's clock. */
let acceptedAtMs = 0;

/** Node runs timers of one length in the order in which they were set. @param {import('node:net').Socket} from @param {import('node:net').Socket} to */
function passOn(from, to) {
  sockets.add(from);
  from.on('data', (bytes) => setTimeout(() => to.write(bytes), delayMs));
  from.on('end', () => setTimeout(() => to.end(), delayMs));
  from.on('error', () => to.destroy());
  from.on('close', () => sockets.delete(from));
}

const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
  acceptedAtMs = Number(process.hrtime.bigint()) / 1e6;
  const far = connect({ port: Number(values.port), host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  if (values.handshake) {
    // It has connected to us in no time; from afar it could not have sent anything yet.
    near.pause();
    setTimeout(() => near.resume(), 2 * delayMs);
  }
  passOn(near, far);
  passOn(far, near);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));

answer({
  describe: () => ({ port: /** @type {any} */ (server.address()).port }),
  acceptedAtMs: () => acceptedAtMs,
  /** Both ends see a reset. */
  cut: () => {
    for (const socket of sockets) socket.resetAndDestroy();
  },
});
