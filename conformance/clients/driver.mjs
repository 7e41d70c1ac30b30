// What all clients under test do, whatever they are made with: ask how many cases there are, run one after another, ask for
// the reports. Runs in a browser too.

/** Longer than any case takes. A client that hangs is left behind, and the next case begins. */
const CASE_LIMIT_MS = 120_000;

/**
 * @param {string} url of the fuzzing server, without a path
 * @param {string} agent how the client is called there
 * @param {(url: string, isEcho: boolean) => Promise<string | undefined>} connect connects, echoes what comes if it is to,
 *   and resolves with the last text when the connection is over, also where it never came about
 */
export async function drive(url, agent, connect) {
  const name = encodeURIComponent(agent);
  const count = Number(await connect(`${url}/getCaseCount`, false));
  if (!(count > 0)) throw new Error(`${url}/getCaseCount gave no number of cases`);
  for (let number = 1; number <= count; number++) {
    await within(CASE_LIMIT_MS, connect(`${url}/runCase?case=${number}&agent=${name}`, true));
  }
  await connect(`${url}/updateReports?agent=${name}`, false);
}

function within(limitMs, promise) {
  let timer;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}
