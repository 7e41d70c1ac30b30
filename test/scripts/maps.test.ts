// The maps lead somewhere: each floor's README names every file of the floor and no other, and ARCHITECTURE.md only files
// that are there.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(__dirname, '../..');
const src = join(root, 'src');
const floors = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());

describe.each(floors.map(({ name }) => name))('src/%s/README.md', (floor) => {
  const text = readFileSync(join(src, floor, 'README.md'), 'utf8');

  it('names every file of the floor, and no other', () => {
    const named = [...text.matchAll(/`([\w-]+\.ts)`/g)].map(([, name]) => name);
    const files = readdirSync(join(src, floor)).filter((name) => name.endsWith('.ts'));
    expect([...new Set(named)].sort()).toEqual(files.sort());
  });

  it('fits a screen', () => {
    expect(text.split('\n').length).toBeLessThanOrEqual(30);
  });
});

it('ARCHITECTURE.md names files that are there', () => {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  const named = [...text.matchAll(/`((?:wire|protocol|io|ws|agent|rpc|mcp|conform|cli)\/[\w-]+\.ts)`/g)].map(
    ([, name]) => name!,
  );
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((name) => !existsSync(join(src, name)))).toEqual([]);
});
