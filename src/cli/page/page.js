// The page of `hawser serve`: one WebSocket to talk over, and another (/observe) on which the server reports every
// frame of the first. Both meet under a name, which is random unless the person types one.
import { element, FrameLog } from './frame-log.js';

const byId = (id) => document.getElementById(id);
const socketOrigin = location.origin.replace('http', 'ws');

let name = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
  byte.toString(16).padStart(2, '0'),
).join('');
/** The WebSocket that the person talks over. */
let socket;
/** The WebSocket that reports, and a promise of it that is kept once the server has said hello. */
let observer;
let observing;
let closeCodes = [];
/** A promise of the panel of the agent, once it was asked for. */
let panel;
/** What the panel uses of this page. */
const host = {
  agentUrl: () => `${socketOrigin}/agent?watch=${encodeURIComponent(name)}`,
  observe,
  request,
  note,
  complain,
};

// What the server reports

const log = new FrameLog(byId('frames'), ({ shown, total, rows, waiting, discarded }) => {
  const parts = [
    total === 0
      ? 'no frames'
      : shown === total
        ? plural(total, 'frame')
        : `${shown} of ${plural(total, 'frame')}`,
  ];
  if (discarded > 0) parts.push(`${discarded} older ones discarded`);
  byId('count').textContent = parts.join(', ');
  byId('empty').hidden = rows > 0;
  const isPaused = byId('pause').getAttribute('aria-pressed') === 'true';
  byId('pause').textContent = isPaused ? (waiting > 0 ? `Resume (${waiting} new)` : 'Resume') : 'Pause';
});

/** Watches `name`; resolves when the server is ready to report. */
function observe() {
  if (observing !== undefined) return observing;
  observing = new Promise((resolve, reject) => {
    const mine = new WebSocket(`${socketOrigin}/observe?id=${encodeURIComponent(name)}`);
    observer = mine;
    mine.onmessage = ({ data }) => {
      const record = JSON.parse(data);
      if (record.type === 'hello') {
        closeCodes = record.closeCodes;
        showCloseCodes();
        resolve();
      } else receive(record);
    };
    mine.onclose = () => {
      reject(new Error('The server does not report: it is not running, or watches too many connections.'));
      if (observer !== mine) return;
      observing = undefined;
      note('the server has stopped reporting', true);
    };
  });
  // Whoever asked is told by the promise itself.
  observing.catch(() => {});
  return observing;
}

function stopObserving() {
  const former = observer;
  observer = undefined;
  observing = undefined;
  former?.close();
}

function receive(record) {
  if (record.type === 'dropped')
    note(`${plural(record.count, 'record')} left out: this page did not keep up`, true);
  else if (record.type === 'notice') complain(record.text);
  else {
    log.add(record);
    if (record.name === 'pong' && record.from === 'client') showPong(record);
    if (record.name === 'ping' && record.from === 'server') lastPing = record;
  }
}

let lastPing;

function showPong(pong) {
  if (lastPing === undefined || lastPing.payload.hex !== pong.payload.hex) return;
  byId('pong').textContent = `pong after ${(pong.at - lastPing.at).toFixed(2)} ms`;
}

/** Asks the server for something on the connections of `path` that are watched. */
async function request(message) {
  try {
    await observe();
    observer.send(JSON.stringify(message));
  } catch (error) {
    complain(error.message);
  }
}

function pathOf(webSocket) {
  return new URL(webSocket.url).pathname;
}

function note(text, isAlarm = false) {
  log.add({ type: 'note', at: Date.now(), text, isAlarm });
}

// The connection

/** The URL to connect to: that of the person, with the name to watch. */
function targetUrl() {
  const text = byId('url').value.trim();
  const url = new URL(text, `${socketOrigin}/`);
  url.protocol = url.protocol.replace('http', 'ws');
  if (url.host !== location.host) throw new Error(`This page watches its own server only: ${socketOrigin}/…`);
  url.searchParams.set('watch', name);
  if (!byId('deflate').checked) url.searchParams.set('deflate', 'off');
  url.hash = '';
  return url;
}

async function connect() {
  complain('');
  try {
    const url = targetUrl();
    const subprotocols = byId('subprotocols')
      .value.split(/[\s,]+/)
      .filter((each) => each !== '');
    showState('connecting', 'connecting');
    await observe();
    socket = new WebSocket(url, subprotocols);
  } catch (error) {
    showState('failed', 'not connected');
    complain(error.message);
    return;
  }
  const mine = socket;
  let wasOpen = false;
  mine.binaryType = 'arraybuffer';
  mine.onopen = () => {
    wasOpen = true;
    byId('extensions').textContent = mine.extensions || 'not used on this connection';
    byId('protocol').textContent = mine.protocol || 'none chosen';
    showState('open', 'open');
  };
  mine.onclose = ({ code, reason, wasClean }) => {
    const { name: meaning } = describe(code);
    const text = `the page's close event: ${code} ${meaning}${reason && `, "${reason}"`}, ${wasClean ? 'clean' : 'not clean'}`;
    // What the server saw before arrives on another connection, and may be late.
    setTimeout(() => note(text, !wasClean), 250);
    showState(wasClean ? 'closed' : 'failed', wasOpen ? `closed: ${code} ${meaning}` : 'not connected');
    if (!wasOpen)
      complain('The server refused the connection. A browser does not tell why; the handshake may.');
  };
}

async function sendMessage() {
  const kind = chosen('kind');
  if (kind === 'text') socket.send(byId('text').value);
  if (kind === 'hex') socket.send(parseHex(byId('hex').value));
  if (kind === 'file') {
    const [file] = byId('file').files;
    if (file === undefined) throw new Error('Choose a file first.');
    socket.send(await file.arrayBuffer());
  }
}

function parseHex(text) {
  const digits = text.replace(/0x|\\x|[\s,:-]/gi, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error('Hex is pairs of the digits 0-9 and a-f.');
  return new Uint8Array((digits.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)));
}

function close() {
  const text = byId('code').value.trim();
  const reason = byId('reason').value;
  const code = text === '' ? undefined : Number(text);
  if (code !== undefined && !Number.isInteger(code))
    throw new Error('A status code is a number, or empty for none.');
  if (new TextEncoder().encode(reason).length > 123)
    throw new Error('A reason has at most 123 bytes (§5.5.1).');
  if (chosen('closer') === 'server') request({ request: 'close', code, reason, path: pathOf(socket) });
  else if (code === undefined) socket.close();
  else if (code !== 1000 && !(code >= 3000 && code <= 4999)) {
    throw new Error(
      'A page may close with 1000 and 3000 to 4999 only. The server may send more codes: let it close.',
    );
  } else socket.close(code, reason);
  if (socket.readyState === WebSocket.CLOSING) showState('closing', 'closing');
}

// What the person sees

function showState(state, text) {
  byId('state').dataset.state = state;
  byId('state').textContent = text;
  const isOpen = state === 'open';
  for (const id of ['send-button', 'ping-button', 'close-button', 'cut']) byId(id).disabled = !isOpen;
  byId('disconnect').disabled = !(isOpen || state === 'closing');
  byId('open').disabled = isOpen || state === 'connecting' || state === 'closing';
}

function complain(text) {
  byId('alert').textContent = text;
  byId('alert').hidden = text === '';
}

function describe(code) {
  const range = code >= 4000 ? 4000 : 3000;
  const unknown = { name: '', meaning: '', section: '' };
  return (
    closeCodes.find((each) => each.code === code) ?? closeCodes.find((each) => each.code === range) ?? unknown
  );
}

function showCloseCodes() {
  const isServer = chosen('closer') === 'server';
  const codes = closeCodes.filter(
    ({ code, isSendable }) => isSendable && (isServer || code === 1000 || code >= 3000),
  );
  byId('codes').replaceChildren(
    ...codes.map(({ code, name }) => element('option', { value: String(code) }, name)),
  );
  const code = byId('code').value.trim();
  const { name, meaning, section } = describe(Number(code));
  byId('code-meaning').textContent =
    code === '' ? 'No code: the other side sees 1005.' : name && `${name}: ${meaning} (${section}).`;
}

function showName() {
  byId('name').value = name;
  byId('command').textContent = `hawser connect '${socketOrigin}/echo?watch=${name}'`;
}

/** Shows the parts that belong to what is chosen in a group of radio buttons, and hides the others. */
function showChosen(group) {
  for (const part of document.querySelectorAll(`[data-${group}]`)) {
    part.hidden = !part.dataset[group].split(' ').includes(chosen(group));
  }
}

/** The panel of the agent comes with a client of its own, which is loaded when it is asked for. */
async function showMode() {
  showChosen('mode');
  complain('');
  const isAgent = chosen('mode') === 'agent';
  history.replaceState(null, '', isAgent ? '#agent' : location.pathname);
  if (!isAgent) return;
  try {
    panel ??= import('./agent.js').then(({ AgentPanel }) => new AgentPanel(host));
    await panel;
  } catch (error) {
    panel = undefined;
    complain(`The panel did not load: ${error.message}`);
  }
}

function showFilter() {
  log.filter = {
    from: byId('filter-from').value,
    name: byId('filter-name').value,
    text: byId('filter-text').value.trim(),
  };
}

function chosen(group) {
  return document.querySelector(`input[name="${group}"]:checked`).value;
}

function plural(count, noun) {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** Runs what a form is for, and shows what went wrong. */
function onSubmit(id, action) {
  byId(id).addEventListener('submit', async (event) => {
    event.preventDefault();
    complain('');
    try {
      await action();
    } catch (error) {
      complain(error.message);
    }
  });
}

onSubmit('connect', connect);
onSubmit('send', sendMessage);
onSubmit('ping', () => {
  byId('pong').textContent = '';
  return request({ request: 'ping', payload: byId('ping-payload').value, path: pathOf(socket) });
});
onSubmit('close', close);
onSubmit('watch', async () => {
  name = byId('name').value.trim();
  showName();
  stopObserving();
  await observe();
  note(`watching "${name}"`);
});
byId('disconnect').addEventListener('click', () => {
  socket.close(1000);
  showState('closing', 'closing');
});
byId('cut').addEventListener('click', () => request({ request: 'terminate', path: pathOf(socket) }));
byId('clear').addEventListener('click', () => log.clear());
byId('pause').addEventListener('click', () => {
  const isPaused = byId('pause').getAttribute('aria-pressed') !== 'true';
  byId('pause').setAttribute('aria-pressed', String(isPaused));
  log.isPaused = isPaused;
});
byId('save').addEventListener('click', () => {
  const href = URL.createObjectURL(new Blob([log.toText()], { type: 'application/jsonl' }));
  element('a', { href, download: `frames-${name}.jsonl` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 1000);
});
for (const id of ['filter-from', 'filter-name', 'filter-text'])
  byId(id).addEventListener('input', showFilter);
for (const group of ['kind', 'tool']) {
  for (const radio of document.querySelectorAll(`input[name="${group}"]`))
    radio.addEventListener('change', () => showChosen(group));
}
for (const radio of document.querySelectorAll('input[name="mode"]'))
  radio.addEventListener('change', showMode);
for (const radio of document.querySelectorAll('input[name="closer"]'))
  radio.addEventListener('change', showCloseCodes);
byId('code').addEventListener('input', showCloseCodes);
for (const id of ['text', 'hex']) {
  byId(id).addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || byId('send-button').disabled) return;
    event.preventDefault();
    byId('send').requestSubmit();
  });
}

byId('url').value = `${socketOrigin}/echo`;
for (const path of ['/echo', '/broadcast'])
  byId('urls').append(element('option', { value: `${socketOrigin}${path}` }));
if (location.hash === '#agent') document.querySelector('input[name="mode"][value="agent"]').checked = true;
showName();
for (const group of ['kind', 'tool']) showChosen(group);
showMode();
observe().catch((error) => complain(error.message));
