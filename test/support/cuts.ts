// Conversations over a session that are cut, each after another byte, and must come out as if they had not been.
import type { CutMode, Direction } from '../../src/cli/fault-pipe.js';

export interface Cut {
  bytes: number;
  direction: Direction;
  how: CutMode;
}

export function describeCut({ bytes, direction, how }: Cut): string {
  return `${how} after ${bytes} bytes ${direction}`;
}

/** How a conversation that was cut came out. */
export interface CutOutcome {
  /** As text: that is compared faster than objects, and there are millions of them. */
  got: string;
  cuts: number;
  resumes: number;
}

/**
 * One conversation for each of so many bytes.
 *
 * @param wanted what each has to come to
 * @returns how many there were, and how many resumed
 */
export async function cutAfterEach(
  conversations: number,
  { direction, how }: Omit<Cut, 'bytes'>,
  concurrency: number,
  wanted: string,
  converse: (cut: Cut) => Promise<CutOutcome>,
): Promise<{ conversations: number; resumed: number }> {
  let begun = 0;
  let resumed = 0;
  const work = async (): Promise<void> => {
    while (begun < conversations) {
      const cut = { bytes: begun++, direction, how };
      const { got, cuts, resumes } = await converse(cut);
      if (got !== wanted) throw new Error(`${describeCut(cut)}:\n${got}\nis not\n${wanted}`);
      if (cuts !== 1) throw new Error(`${describeCut(cut)} did not come`);
      if (resumes > 0) resumed++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return { conversations, resumed };
}
