// A missing program skips its tests loudly, or fails them where it is required.

import { afterEach, describe, expect, it, vi } from 'vitest';

const spawnSync = vi.hoisted(() => vi.fn());
vi.mock('node:child_process', () => ({ spawnSync }));

async function load(status: number | null, required: string) {
  vi.resetModules();
  vi.stubEnv('HAWSER_REQUIRE', required);
  spawnSync.mockReset().mockReturnValue({ status });
  return (await import('./require.js')).requirement;
}

describe('requirement', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it.each(['', 'redis,chromium'])(
    'the program runs, HAWSER_REQUIRE is "%s" -> true, and nothing is said',
    async (list) => {
      const warn = vi.spyOn(console, 'warn').mockReturnValue();
      const requirement = await load(0, list);
      expect(requirement('redis')).toBe(true);
      expect(warn).not.toHaveBeenCalled();
    },
  );

  it.each(['', 'python,chromium'])(
    'the program is missing, HAWSER_REQUIRE is "%s" -> false, and a line says so',
    async (list) => {
      const warn = vi.spyOn(console, 'warn').mockReturnValue();
      const requirement = await load(null, list);
      expect(requirement('redis')).toBe(false);
      expect(warn).toHaveBeenCalledWith(expect.stringContaining('SKIPPED: redis is missing'));
    },
  );

  it('the program is missing and required -> throws', async () => {
    const requirement = await load(null, 'chromium,redis');
    expect(() => requirement('redis')).toThrow(
      'HAWSER_REQUIRE: redis is missing (apt-get install redis-server)',
    );
  });

  it('asked twice -> looked for once', async () => {
    const requirement = await load(0, '');
    requirement('python');
    requirement('python');
    expect(spawnSync).toHaveBeenCalledTimes(1);
    expect(spawnSync).toHaveBeenCalledWith('/usr/bin/python3', ['-c', 'import websockets'], {
      stdio: 'ignore',
    });
  });
});
