// The package as CommonJS: `node as-commonjs.cjs <entry> <entry of the other system> <hawser|ws>`. Loaded the other
// way too, in the same process, it is the same class.
const assert = require('node:assert/strict');
const { pathToFileURL } = require('node:url');

const [entry, moduleEntry, name] = process.argv.slice(2);
const WebSocket = require(entry);

(async () => {
  const { default: imported } = await import(pathToFileURL(moduleEntry).href);
  assert.equal(imported, WebSocket);
  const { tour } = await import('./exchange.mjs');
  await tour(WebSocket, { isHawser: name === 'hawser', system: 'commonjs' });
})();
