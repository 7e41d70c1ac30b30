// The package as ECMAScript module: `node as-module.mjs <entry> <entry of the other system> <hawser|ws>`.
import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { tour } from './exchange.mjs';

const [entry, , name] = process.argv.slice(2);
const loaded = await import(pathToFileURL(entry).href);
const isHawser = name === 'hawser';
assert.equal(loaded.default, loaded.WebSocket);
if (isHawser) assert.equal(loaded.default.WebSocketServer, loaded.WebSocketServer);
// The default export of npm ws lacks its statics in ES modules.
await tour(isHawser ? loaded.default : Object.assign(loaded.default, loaded), { isHawser, system: 'module' });
