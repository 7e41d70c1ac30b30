// How one call looks while it runs and afterwards: its progress, the pieces of its result as they arrive, a mark where the
// connection was lost in between, and a button to cancel it. Made of text nodes only.
import { element } from './frame-log.js';

export class CallView {
  element;
  state = 'running';
  #beganAt = performance.now();
  #status = element('span', { className: 'status' }, 'running');
  #cancel = element('button', { type: 'button' }, 'Cancel');
  #progress = element('progress', { hidden: true });
  #step = element('p', { className: 'step', hidden: true });
  #output = element('div', { className: 'output', hidden: true });
  #pieces = 0;
  #seams = 0;

  /** @param onCancel called when the person has seen enough */
  constructor(tool, title, onCancel) {
    this.#cancel.addEventListener('click', onCancel);
    this.#cancel.setAttribute('aria-label', `Cancel ${tool}`);
    this.#progress.setAttribute('aria-label', `Progress of ${tool}`);
    const head = element(
      'div',
      { className: 'call-head' },
      element('b', {}, tool),
      element('span', { className: 'title', title }, title),
      this.#cancel,
    );
    this.element = element(
      'li',
      { className: 'card call', dataset: { call: tool, state: this.state } },
      head,
      this.#progress,
      this.#step,
      this.#output,
      this.#status,
    );
  }

  /** How far it has come, and what it is at. */
  progress(done, total, message) {
    this.#progress.hidden = false;
    this.#step.hidden = false;
    if (total !== undefined) this.#progress.max = total;
    this.#progress.value = done;
    this.#step.textContent = `${done} of ${total}  ${message}`;
  }

  /** The next piece of a streamed result. */
  piece(text) {
    this.#pieces += 1;
    this.#show(element('span', { className: 'piece' }, text));
    this.#tell(`running: ${this.#pieces} pieces`);
  }

  /** The whole result of a call that does not stream. */
  result(value) {
    this.#show(...(Array.isArray(value?.matches) ? describeMatches(value) : [String(value)]));
  }

  /** The connection was lost here. */
  seam() {
    this.#seams += 1;
    if (this.#pieces === 0) return;
    const attributes = { role: 'img', 'aria-label': 'here the connection was lost' };
    this.#show(element('span', { className: 'seam', title: 'Here the connection was lost.', attributes }));
  }

  /** @param state done, cancelled or failed */
  end(state, reason = '') {
    this.state = state;
    this.element.dataset.state = state;
    this.#cancel.remove();
    this.#step.hidden = true;
    if (state === 'done' && !this.#progress.hidden) this.#progress.value = this.#progress.max;
    if (reason !== '') this.#show(element('span', { className: 'reason' }, reason));
    const seconds = ((performance.now() - this.#beganAt) / 1000).toFixed(1);
    const facts = [`${state} after ${seconds} s`];
    if (this.#pieces > 0) facts.push(`${this.#pieces} pieces`);
    if (this.#seams > 0) facts.push(`over ${this.#seams + 1} connections`);
    this.#tell(facts.join(', '));
  }

  #show(...nodes) {
    this.#output.hidden = false;
    this.#output.append(...nodes);
  }

  #tell(text) {
    this.#status.textContent = text;
  }
}

function describeMatches({ files, matches, isTruncated }) {
  const count = `${isTruncated ? 'more than ' : ''}${matches.length} lines in ${files} files`;
  const rows = matches.map(({ file, line, excerpt }) =>
    element('li', {}, element('b', { className: 'place' }, `${file}:${line}`), ' ', excerpt),
  );
  return [element('p', {}, count), element('ul', { tabIndex: 0 }, ...rows)];
}
