// The tool that searches the sources and documents of this package. It is slow on purpose, one file after the other, so
// that there is progress to see and something to cancel.

import { setTimeout as sleep } from 'node:timers/promises';
import { listTextFiles, readTextFile } from './text-files.js';
import { defineTool, type Tool } from './tool.js';

export interface Match {
  file: string;
  /** Counted from 1. */
  line: number;
  excerpt: string;
}

export interface SearchResult {
  /** How many files were read. */
  files: number;
  matches: Match[];
  /** Whether there were more matches than are listed. */
  isTruncated: boolean;
}

const DIRECTORIES = ['docs', 'src'];
const MAX_MATCHES = 100;
const EXCERPT_LENGTH = 120;

/** @param root the directory that is searched */
export function searchTool(root: string): Tool {
  return defineTool({
    name: 'search',
    title: 'Search',
    description: `Searches ${DIRECTORIES.join(' and ')} of this package for a text, in any case, and lists the first ${MAX_MATCHES} lines that have it. Slow on purpose; reports each file.`,
    parameters: {
      text: { type: 'string', description: 'what to find', minLength: 1, maxLength: 100 },
      paceMs: {
        type: 'integer',
        description: 'milliseconds to wait after each file',
        minimum: 0,
        maximum: 1000,
        default: 12,
      },
    },
    async run({ text, paceMs }, { signal, progress }): Promise<SearchResult> {
      const files = await listTextFiles(root, DIRECTORIES);
      const matches: Match[] = [];
      for (const [index, file] of files.entries()) {
        progress(index, files.length, file);
        for (const match of find(text, (await readTextFile(root, file)) ?? '')) {
          if (matches.length === MAX_MATCHES) return { files: index + 1, matches, isTruncated: true };
          matches.push({ file, ...match });
        }
        await sleep(paceMs, undefined, { signal });
      }
      return { files: files.length, matches, isTruncated: false };
    },
  });
}

function* find(text: string, content: string): Generator<Omit<Match, 'file'>> {
  const wanted = text.toLowerCase();
  if (!content.toLowerCase().includes(wanted)) return;
  for (const [index, line] of content.split('\n').entries()) {
    const at = line.toLowerCase().indexOf(wanted);
    if (at !== -1) yield { line: index + 1, excerpt: excerptOf(line, at) };
  }
}

/** The line, or of a long one the part around the match. */
function excerptOf(line: string, at: number): string {
  const text = line.trim();
  if (text.length <= EXCERPT_LENGTH) return text;
  const start = Math.max(0, Math.min(at - 40, line.length - EXCERPT_LENGTH));
  return `${start > 0 ? '…' : ''}${line.slice(start, start + EXCERPT_LENGTH).trim()}…`;
}
