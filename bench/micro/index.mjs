// All micro benchmarks, one after the other.
for (const name of ['mask', 'utf8', 'parser', 'frame-writer']) await import(`./${name}.mjs`);
