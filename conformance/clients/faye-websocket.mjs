// The client of npm faye-websocket. `node faye-websocket.mjs URL AGENT`
import WebSocket from 'faye-websocket';
import { drive } from './driver.mjs';

function connect(url, isEcho) {
  return new Promise((resolve) => {
    const client = new WebSocket.Client(url);
    let last;
    client.on('error', () => {});
    client.on('message', ({ data }) => {
      last = data;
      if (isEcho) client.send(data);
    });
    client.on('close', () => resolve(last));
  });
}

const [, , url, agent] = process.argv;
await drive(url, agent, connect);
