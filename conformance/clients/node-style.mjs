// Connects with a WebSocket that is an EventEmitter: that of hawser and of npm ws.

/** @returns a `connect` for drive() */
export function connectWith(WebSocket) {
  return (url, isEcho) =>
    new Promise((resolve) => {
      const socket = new WebSocket(url);
      let last;
      socket.on('error', () => {});
      socket.on('message', (data, isBinary) => {
        last = String(data.subarray(0, 100));
        if (isEcho) socket.send(data, { binary: isBinary });
      });
      socket.on('close', () => resolve(last));
    });
}
