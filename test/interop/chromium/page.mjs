// What the page in Chromium does with its own WebSocket; chromium.test.ts calls these functions and judges the answers.

function event(target, type) {
  return new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));
}

function pattern(length) {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7) & 0xff;
  return bytes;
}

function textOf(length) {
  return 'aé☃😀'.repeat(Math.floor(length / 10)) + 'x'.repeat(length % 10);
}

function isSame(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

async function connect(url, protocols = []) {
  const socket = new WebSocket(url, protocols);
  socket.binaryType = 'arraybuffer';
  await event(socket, 'open');
  return socket;
}

async function closeOf(socket) {
  const { code, reason, wasClean } = await event(socket, 'close');
  return { code, reason, wasClean };
}

/** Sends bytes, a Blob and text of each length; answers with those that came back changed. */
export async function echo(url, lengths) {
  const socket = await connect(url);
  const changed = [];
  for (const length of lengths) {
    const bytes = pattern(length);
    for (const sent of [bytes, new Blob([bytes]), textOf(length)]) {
      const echoed = event(socket, 'message');
      socket.send(sent);
      const { data } = await echoed;
      const same = typeof sent === 'string' ? data === sent : isSame(new Uint8Array(data), bytes);
      if (!same) changed.push(`${typeof sent} of ${length}`);
    }
  }
  socket.close();
  return { changed, extensions: socket.extensions };
}

/** Sends many messages at once; answers with the number of those that came back as sent, in order. */
export async function burst(url, count) {
  const socket = await connect(url);
  let matching = 0;
  let received = 0;
  const all = new Promise((resolve) => {
    socket.onmessage = ({ data }) => {
      if (isSame(new Uint8Array(data), pattern((received * 7919) % 3000))) matching++;
      if (++received === count) resolve();
    };
  });
  for (let i = 0; i < count; i++) socket.send(pattern((i * 7919) % 3000));
  await all;
  socket.close();
  return matching;
}

/** Answers with the first message, as text or as an array of bytes. */
export async function receive(url, protocols) {
  const socket = await connect(url, protocols);
  const { data } = await event(socket, 'message');
  socket.close();
  return { data: typeof data === 'string' ? data : [...new Uint8Array(data)], protocol: socket.protocol };
}

/** Waits for the server's close. */
export async function closedByServer(url) {
  const socket = new WebSocket(url);
  return closeOf(socket);
}

/** Closes with these arguments. */
export async function close(url, ...args) {
  const socket = await connect(url);
  const closed = closeOf(socket);
  socket.close(...args);
  return closed;
}

/** Sends so many bytes and waits for the close. */
export async function sendUntilClosed(url, length) {
  const socket = await connect(url);
  const closed = closeOf(socket);
  socket.send(pattern(length));
  return closed;
}

/** Navigates away with the socket open. */
export async function leave(url) {
  await connect(url);
  location.href = 'about:blank';
}
