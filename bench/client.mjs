// One connection of the load generator: a bare socket and the opening handshake (RFC 6455 §4.1), or, where a
// client is under test, one that was accepted (§4.2). What happens to the bytes that arrive afterwards is decided
// by whoever sets `receive`. Plain sockets that this process opens read into one shared block of memory.
import { createHash, randomBytes } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ReplyCounter, verifyReply } from './frames.mjs';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const HANDSHAKE_TIMEOUT_MS = 20_000;
/** Every socket reads into it, one at a time: what arrives is looked at at once and never kept. */
const readBuffer = Buffer.allocUnsafe(1024 * 1024);

const OFFERS = {
  none: '',
  fresh:
    'Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n',
  takeover: 'Sec-WebSocket-Extensions: permessage-deflate\r\n',
};

/**
 * The head that a browser sends.
 *
 * @param {number} port
 * @param {string} key
 * @param {keyof typeof OFFERS} offer
 */
function requestHead(port, key, offer) {
  const lines = [
    'GET /bench HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Connection: Upgrade',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Upgrade: websocket',
    `Origin: http://127.0.0.1:${port}`,
    'Sec-WebSocket-Version: 13',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-US,en;q=0.9',
    `Sec-WebSocket-Key: ${key}`,
  ];
  return `${lines.join('\r\n')}\r\n${OFFERS[offer]}\r\n`;
}

/** @param {string} key */
export function acceptValue(key) {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** @param {string} head @param {string} key @param {keyof typeof OFFERS} offer */
function checkResponse(head, key, offer) {
  if (!head.startsWith('HTTP/1.1 101 '))
    throw new Error(`the handshake was answered with ${head.split('\r\n')[0]}`);
  if (!head.includes(acceptValue(key))) throw new Error('Sec-WebSocket-Accept is wrong');
  const extensions = /^sec-websocket-extensions: *(.*)$/im.exec(head)?.[1] ?? '';
  const agreed = extensions.startsWith('permessage-deflate');
  const fresh =
    extensions.includes('server_no_context_takeover') && extensions.includes('client_no_context_takeover');
  if (agreed !== (offer !== 'none') || (offer === 'fresh' && !fresh)) {
    throw new Error(`the server answered the offer with "${extensions}"`);
  }
}

export class Client {
  /** @type {import('node:net').Socket} */
  socket;
  /**
   * Gets each piece that arrives; the bytes are valid during the call only.
   *
   * @type {(bytes: Buffer, length: number) => void}
   */
  receive = () => {};
  /** Called when the connection ends although nobody here ended it. @type {(error: Error) => void} */
  #lost;
  #closing = false;

  /** @param {import('node:net').Socket} socket @param {(error: Error) => void} lost */
  constructor(socket, lost) {
    this.socket = socket;
    this.#lost = lost;
    socket.setNoDelay(true);
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('the peer closed the connection')));
  }

  /** @param {number} port @param {boolean} tls @param {(error: Error) => void} lost */
  static connect(port, tls, lost) {
    if (tls) {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
      return new Client(socket, lost).#readData();
    }
    const callback = (/** @type {number} */ length, /** @type {Uint8Array} */ bytes) => {
      client.receive(/** @type {Buffer} */ (bytes), length);
      return true;
    };
    const socket = connectTcp({ port, host: '127.0.0.1', onread: { buffer: readBuffer, callback } });
    const client = new Client(socket, lost);
    return client;
  }

  /** @param {import('node:net').Socket} socket @param {(error: Error) => void} lost */
  static accept(socket, lost) {
    return new Client(socket, lost).#readData();
  }

  #readData() {
    this.socket.on('data', (bytes) => this.receive(bytes, bytes.length));
    return this;
  }

  #end(/** @type {Error} */ error) {
    if (!this.#closing) this.#lost(error);
    this.close();
  }

  /**
   * Performs the opening handshake and checks the answer.
   *
   * @param {number} port
   * @param {keyof typeof OFFERS} offer
   * @returns {Promise<void>}
   */
  handshake(port, offer) {
    const key = randomBytes(16).toString('base64');
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error('the server did not answer a handshake')),
        HANDSHAKE_TIMEOUT_MS,
      );
      let head = '';
      this.receive = (bytes, length) => {
        head += bytes.toString('latin1', 0, length);
        if (!head.endsWith('\r\n\r\n')) return;
        clearTimeout(timer);
        this.receive = () => {};
        try {
          checkResponse(head, key, offer);
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      this.socket.write(requestHead(port, key, offer));
    });
  }

  /** Answers the opening handshake of a client under test; accepts no extension. @returns {Promise<void>} */
  welcome() {
    return new Promise((resolve) => {
      let head = '';
      this.receive = (bytes, length) => {
        head += bytes.toString('latin1', 0, length);
        if (!head.endsWith('\r\n\r\n')) return;
        this.receive = () => {};
        const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? '';
        this.socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptValue(key)}\r\n\r\n`,
        );
        resolve();
      };
    });
  }

  /**
   * Checks every byte of the reply to one block, which somebody is about to send.
   *
   * @param {import('./frames.mjs').Exchange} exchange
   * @param {boolean} masked
   * @returns {Promise<void>}
   */
  expectReply(exchange, masked) {
    return new Promise((resolve, reject) => {
      const counter = new ReplyCounter(masked);
      /** @type {Buffer[]} */ const pieces = [];
      let due = exchange.messages.length;
      this.receive = (bytes, length) => {
        try {
          pieces.push(Buffer.from(bytes.subarray(0, length)));
          due -= counter.count(bytes, length);
          if (due > 0) return;
          this.receive = () => {};
          verifyReply(Buffer.concat(pieces), exchange);
          resolve();
        } catch (error) {
          reject(error);
        }
      };
    });
  }

  /** Drops the connection with a reset, which leaves no port in TIME_WAIT behind. */
  close() {
    this.#closing = true;
    if ('encrypted' in this.socket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }
}
