// The panel that calls the tools of the server: one session, over as many connections as it takes, and any number of calls
// at once. Session and calls are hawser's own client, bundled when hawser was built; how a call looks is in call-view.js.
import { CallView } from './call-view.js';
import { connectSession, RpcPeer } from './hawser.js';

const byId = (id) => document.getElementById(id);

const PATH = '/agent';
/** What is known of a call whose session was lost. */
const OUTCOMES = { 'not-sent': 'surely not run', unknown: 'perhaps run' };
/** Of calls that are over, the oldest make room for new ones. */
const MAX_SHOWN = 20;
/** Slower than a program would have it, so that a person sees what happens. */
const BACKOFF = { baseMs: 2000, capMs: 5000 };

/** For each tool, what it is called with, and how that reads in the list of calls. */
const TOOLS = {
  explain() {
    const { value, selectedOptions } = byId('explain-topic');
    return { params: { topic: value }, title: selectedOptions[0].label };
  },
  search() {
    const text = byId('search-text').value;
    return { params: { text }, title: `“${text}”` };
  },
  calculate() {
    const expression = byId('calculate-expression').value;
    return { params: { expression }, title: expression };
  },
  clock() {
    const [count, everyMs] = ['clock-count', 'clock-everyMs'].map((id) => byId(id).valueAsNumber);
    return { params: { count, everyMs }, title: `${count} × ${everyMs} ms` };
  },
};

export class AgentPanel {
  #host;
  #peer;
  #running = new Set();
  #connections = 0;
  /** When the connection was lost, while there is none. */
  #lostAt;

  /** @param host what the page lends: agentUrl(), request(), note(), complain() */
  constructor(host) {
    this.#host = host;
    byId('call').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#call(document.querySelector('input[name="tool"]:checked').value);
    });
    byId('call-all').addEventListener('click', () => {
      // The newest stands first, and the one that has most to show should.
      for (const tool of Object.keys(TOOLS).reverse()) this.#call(tool);
    });
    byId('drop').addEventListener('click', () => host.request({ request: 'terminate', path: PATH }));
    byId('end-session').addEventListener('click', () => this.#peer.close());
    for (const id of ['call-button', 'call-all']) byId(id).disabled = false;
  }

  async #call(tool) {
    const { params, title } = TOOLS[tool]();
    const controller = new AbortController();
    const { signal } = controller;
    const view = new CallView(tool, title, () => controller.abort());
    this.#list(view);
    this.#running.add(view);
    try {
      this.#peer ??= this.#connect();
      const onProgress = ({ progress, total, message }) => view.progress(progress, total, message);
      const result = await this.#peer.call(tool, params, { signal, onProgress });
      if (result?.[Symbol.asyncIterator] === undefined) view.result(result);
      else for await (const piece of result) view.piece(piece);
      view.end(signal.aborted ? 'cancelled' : 'done');
    } catch (error) {
      if (signal.aborted) view.end('cancelled');
      else view.end('failed', describe(error));
    }
    this.#running.delete(view);
    byId('call-news').textContent = `${tool}: ${view.state}`;
  }

  #list(view) {
    byId('no-calls').hidden = true;
    byId('calls').prepend(view.element);
    for (const old of [...byId('calls').children].slice(MAX_SHOWN)) {
      if (old.dataset.state !== 'running') old.remove();
    }
  }

  /** Begins a session, and shows what becomes of it. */
  #connect() {
    this.#host.complain('');
    this.#connections = 0;
    this.#show('connecting', 'connecting');
    const session = connectSession(() => this.#host.agentUrl(), { backoff: BACKOFF });
    session.on('open', () => this.#onConnected('open'));
    session.on('reconnecting', (info) => this.#onReconnecting(info));
    session.on('resumed', () => {
      this.#onConnected(`open again, after ${((performance.now() - this.#lostAt) / 1000).toFixed(1)} s`);
      this.#host.note('the session goes on over a new connection');
    });
    session.on('sessionlost', () =>
      this.#host.note('the server has forgotten the session: another one begins', true),
    );
    session.on('close', ({ error }) => {
      this.#peer = undefined;
      this.#show(error === undefined ? 'closed' : 'failed', error === undefined ? 'ended' : describe(error));
    });
    return new RpcPeer(session);
  }

  #onConnected(text) {
    this.#connections += 1;
    byId('session-connections').textContent = String(this.#connections);
    this.#lostAt = undefined;
    this.#show('open', text);
  }

  #onReconnecting({ attempt, delayMs, code }) {
    if (this.#lostAt === undefined && this.#connections > 0) {
      this.#lostAt = performance.now();
      for (const view of this.#running) view.seam();
      this.#host.note(
        `the connection of the session is lost (${code}); ${calls(this.#running.size)} in flight`,
        true,
      );
    }
    this.#show('reconnecting', `reconnecting in ${(delayMs / 1000).toFixed(1)} s, attempt ${attempt}`);
  }

  #show(state, text) {
    byId('session-state').dataset.state = state;
    byId('session-state').textContent = `session ${state}`;
    byId('session-now').textContent = text;
    byId('drop').disabled = state !== 'open';
    byId('end-session').disabled = state === 'closed' || state === 'failed';
  }
}

function describe({ message, code, data }) {
  const facts = [code, OUTCOMES[data?.outcome]].filter((fact) => fact !== undefined);
  return facts.length === 0 ? message : `${message} (${facts.join(', ')})`;
}

function calls(count) {
  return count === 1 ? '1 call' : `${count} calls`;
}
