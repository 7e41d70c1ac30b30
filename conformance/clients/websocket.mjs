// The client of npm websocket. By default it takes 1 MiB in a frame and 8 MiB in a message; the suite sends 16 MiB.
// `node websocket.mjs URL AGENT`
import websocket from 'websocket';
import { drive } from './driver.mjs';

function connect(url, isEcho) {
  return new Promise((resolve) => {
    const client = new websocket.client({ maxReceivedFrameSize: 64 << 20, maxReceivedMessageSize: 64 << 20 });
    client.on('connectFailed', () => resolve());
    client.on('connect', (connection) => {
      let last;
      connection.on('error', () => {});
      connection.on('message', (message) => {
        last = message.utf8Data;
        if (!isEcho) return;
        if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
        else connection.sendBytes(message.binaryData);
      });
      connection.on('close', () => resolve(last));
    });
    client.connect(url);
  });
}

const [, , url, agent] = process.argv;
await drive(url, agent, connect);
