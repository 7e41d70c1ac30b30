// How far a run is: on a terminal one line with a bar that is written over, elsewhere a plain line for each case.

const BAR_WIDTH = 24;

/** @param {number} seconds */
export function formatDuration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
  return minutes === 0 ? `${whole} s` : `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** @param {number} done @param {number} total */
export function formatBar(done, total) {
  const full = total === 0 ? BAR_WIDTH : Math.floor((BAR_WIDTH * done) / total);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}]`;
}

/** The time that is left if the rest goes like what was done, and `guess` seconds each before anything was.
 * @param {number} done @param {number} total @param {number} elapsedSeconds @param {number} guess */
export function secondsLeft(done, total, elapsedSeconds, guess) {
  return (total - done) * (done === 0 ? guess : elapsedSeconds / done);
}

export class Progress {
  #total;
  #guess;
  #stream;
  #done = 0;
  #began = performance.now();
  #lastCase = '';

  /** @param {number} total @param {number} guess seconds of one step @param {NodeJS.WriteStream} [stream] */
  constructor(total, guess, stream = process.stderr) {
    this.#total = total;
    this.#guess = guess;
    this.#stream = stream;
  }

  /** A step begins. @param {string} name of the case @param {string} details */
  begin(name, details) {
    const elapsed = (performance.now() - this.#began) / 1000;
    const left = formatDuration(secondsLeft(this.#done, this.#total, elapsed, this.#guess));
    const line = `${formatBar(this.#done, this.#total)} ${this.#done}/${this.#total}  ${left} left`;
    if (this.#stream.isTTY) {
      // A line that is wider than the terminal could not be written over.
      this.#stream.write(
        `\r\x1b[2K${`${line}  ${name}  ${details}`.slice(0, (this.#stream.columns ?? 80) - 1)}`,
      );
    } else if (name !== this.#lastCase) {
      this.#stream.write(`bench: ${name} (${this.#done} of ${this.#total} done, ${left} left)\n`);
    }
    this.#lastCase = name;
  }

  /** The step that began has ended. */
  end() {
    this.#done++;
  }

  clear() {
    if (this.#stream.isTTY) this.#stream.write('\r\x1b[2K');
  }
}
