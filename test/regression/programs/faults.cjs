// Everything that is wrong, to ends that nobody listens to: the process has to be there afterwards.
const net = require('node:net');
const { WebSocket, once, frame, listen, attack, turn, report } = require('./program.cjs');

const unmasked = Buffer.from([0x81, 0x01, 0x61]);
const WRONG = [
  unmasked,
  Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
  Buffer.from([0x81, 0xff, 0x00, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  ...[0x83, 0x8b, 0x80, 0xc1, 0xa1, 0x91, 0x09, 0x08, 0xc9].map((first) => frame(first, 'x')),
  frame(0x88, 'x'),
  frame(0x88, Buffer.from([0x03, 0xee])),
  frame(0x88, Buffer.from([0x03, 0xe8, 0xff])),
  frame(0x81, Buffer.from([0xff])),
  frame(0x89, 'x'.repeat(126)),
];

(async () => {
  const wss = await listen({ perMessageDeflate: true, maxPayload: 1000 });
  const extension = 'Sec-WebSocket-Extensions: permessage-deflate\r\n';
  const random = Array.from({ length: 200 }, (_, i) =>
    Buffer.from(Array.from({ length: 64 }, (_, j) => (i * 97 + j * j * 31 + i * j * 7) & 255)),
  );
  for (const bytes of [...WRONG, frame(0xc1, '\x07\xff\xff'), ...random]) {
    const { socket, raw } = await attack(wss, extension);
    const gone = once(socket, 'close');
    raw.resume();
    raw.end(bytes);
    await gone;
  }
  // A client, and a server that answers nonsense.
  const answers = [
    '',
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n',
    '\x00\x01\x02',
    'HTTP/1.1 101',
  ];
  for (const answer of answers) {
    const server = net.createServer((raw) => {
      raw.on('error', () => {});
      raw.end(answer);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
    await once(client, 'close');
    server.close();
  }
  const { socket, raw } = await attack(wss);
  raw.write(frame(0x81, 'still here'));
  const [message] = await once(socket, 'message');
  await turn();
  report({ message: String(message) });
})();
