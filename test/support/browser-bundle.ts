// A program for browsers as its author would bundle it, with `hawser/agent` found by the package's own name in dist/. A
// module of Node that is reached is an error of the bundler.

import { build } from 'esbuild';

export interface BrowserBundle {
  /** One ECMAScript module, minified. */
  code: string;
  /** The files that went in, as paths from the root of the project. */
  files: string[];
}

/** @throws when something is imported that browsers do not have */
export async function bundleForBrowser(program: string): Promise<BrowserBundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: process.cwd() },
    bundle: true,
    platform: 'browser',
    format: 'esm',
    minify: true,
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  return { code: outputFiles[0]!.text, files: Object.keys(metafile.inputs) };
}
