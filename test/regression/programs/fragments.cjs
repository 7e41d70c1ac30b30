// A message in a flood of fragments: what it makes the server hold, and whether it arrives.
const {
  parameters,
  once,
  heldBytes,
  frame,
  listen,
  attack,
  write,
  flood,
  untilRead,
  report,
} = require('./program.cjs');

(async () => {
  const { count, payload, options } = parameters;
  const wss = await listen(options);
  const { socket, raw } = await attack(wss);
  const before = await heldBytes();
  const start = socket._socket.bytesRead;
  const fragment = frame(0x00, payload);
  await write(raw, frame(0x02));
  await flood(raw, fragment, count);
  await untilRead(socket, start + 6 + count * fragment.length);
  const held = (await heldBytes()) - before;
  const message = once(socket, 'message');
  raw.write(frame(0x80));
  const [data] = await message;
  report({ held, length: data.length });
})();
