// Connects with a WebSocket of the WHATWG's interface: that of a browser, of Node.js, of undici.

/** @returns a `connect` for drive() */
export function connectWith(WebSocket) {
  return (url, isEcho) =>
    new Promise((resolve) => {
      const socket = new WebSocket(url);
      socket.binaryType = 'arraybuffer';
      let last;
      socket.onmessage = ({ data }) => {
        last = data;
        if (isEcho) socket.send(data);
      };
      socket.onclose = () => resolve(last);
    });
}
