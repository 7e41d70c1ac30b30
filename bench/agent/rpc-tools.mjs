// A tool that answers at once, and its caller: over one session, over HTTP on a connection that is kept alive, and over HTTP
// on a new connection each time. All three say the same JSON-RPC, and may use TLS. Which end this process is, is for who asks.
import { Agent, createServer, request as requestPlain } from 'node:http';
import {
  createServer as createSecureServer,
  request as requestSecure,
  Agent as SecureAgent,
} from 'node:https';
import { createCertificate } from '../certificate.mjs';
import { answer } from '../ipc.mjs';
import { loadRpc, loadSessions, OWN_BUILD } from './builds.mjs';

const { RpcPeer } = loadRpc(OWN_BUILD);

/** A tool that finds something of 200 characters. @param {{ name: string }} params */
const lookUp = ({ name }) => ({ name, text: 'x'.repeat(200) });

// The server

/** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
function onRequest(request, response) {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text) => {
    body += text;
  });
  request.on('end', () => {
    const { id, params } = JSON.parse(body);
    const text = JSON.stringify({ jsonrpc: '2.0', id, result: lookUp(params) });
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    });
    response.end(text);
  });
}

/** @param {{ isSecure: boolean }} how */
async function listen({ isSecure }) {
  const certificate = isSecure ? createCertificate() : undefined;
  const server =
    certificate === undefined ? createServer(onRequest) : createSecureServer(certificate, onRequest);
  const sessions = new (loadSessions(OWN_BUILD).SessionServer)({ server });
  sessions.on('session', (/** @type {any} */ session) => new RpcPeer(session, { handlers: { lookUp } }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return { port: /** @type {any} */ (server.address()).port, ca: certificate?.cert.toString() };
}

// The caller

/**
 * @param {object} options of the request
 * @param {boolean} isSecure
 * @param {number} id
 * @returns {Promise<{ name: string }>}
 */
function post(options, isSecure, id) {
  const text = JSON.stringify({ jsonrpc: '2.0', id, method: 'lookUp', params: { name: `part ${id}` } });
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const request = (isSecure ? requestSecure : requestPlain)(
      { ...options, method: 'POST', headers },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (part) => {
          body += part;
        });
        response.on('end', () => resolve(JSON.parse(body).result));
      },
    );
    request.on('error', reject);
    request.end(text);
  });
}

/** @typedef {{ port: number, ca: string | undefined }} Target */

/** What makes one call, and what ends them. @param {string} way @param {Target} target */
function callerOf(way, { port, ca }) {
  const isSecure = ca !== undefined;
  if (way === 'session') {
    const url = `${isSecure ? 'wss' : 'ws'}://127.0.0.1:${port}`;
    const peer = new RpcPeer(loadSessions(OWN_BUILD).connectSession(url, { socketOptions: { ca } }));
    return {
      call: (/** @type {number} */ id) => peer.call('lookUp', { name: `part ${id}` }),
      close: () => peer.close(),
    };
  }
  const options = { keepAlive: true, maxSockets: 1 };
  // Without an agent Node makes one for the request, with its connection.
  const kept = way === 'keep-alive' ? new (isSecure ? SecureAgent : Agent)(options) : undefined;
  return {
    call: (/** @type {number} */ id) =>
      post({ host: '127.0.0.1', port, ca, agent: kept ?? false }, isSecure, id),
    close: () => kept?.destroy(),
  };
}

/** One call after the other, from nothing. @param {Target & { way: string, calls: number }} plan */
async function run({ way, calls, ...target }) {
  const began = performance.now();
  const { call, close } = callerOf(way, target);
  /** When each had its result. @type {number[]} */ const times = [];
  for (let id = 1; id <= calls; id++) {
    const { name } = await call(id);
    if (name !== `part ${id}`) throw new Error(`a wrong result: ${name}`);
    times.push(performance.now() - began);
  }
  await close();
  return times;
}

answer({ listen, run });
