// Connections that have agreed on permessage-deflate and say nothing: what each of them holds at the server.
const { parameters, heldBytes, listen, attack, report } = require('./program.cjs');

(async () => {
  const { count } = parameters;
  const wss = await listen({ perMessageDeflate: true });
  const sockets = [];
  const open = async () => {
    const { raw, response } = await attack(wss, 'Sec-WebSocket-Extensions: permessage-deflate\r\n');
    if (/permessage-deflate/.test(response)) sockets.push(raw);
  };
  await open();
  const before = await heldBytes();
  const external = process.memoryUsage().external;
  while (sockets.length < count) await open();
  const held = (await heldBytes()) - before + Math.max(0, process.memoryUsage().external - external);
  report({ held, count: sockets.length });
})();
