// A flood of Pings from a peer that reads none of the Pongs.
const { parameters, once, heldBytes, frame, listen, attack, flood, report } = require('./program.cjs');

(async () => {
  const { count, options } = parameters;
  const wss = await listen(options);
  const { socket, raw } = await attack(wss);
  raw.pause();
  const before = await heldBytes();
  const closed = once(socket, 'close');
  let most = 0;
  const sampling = setInterval(() => {
    most = Math.max(most, socket.bufferedAmount);
  }, 1);
  const ping = frame(0x89, 'x'.repeat(125));
  const flooding = flood(raw, ping, count);
  const [code] = await closed;
  clearInterval(sampling);
  raw.destroy();
  await flooding;
  report({ code, held: (await heldBytes()) - before, most });
})();
