// The Chromium that the tests drive.

import { type Browser, chromium } from 'playwright-core';

/** @param args switches beside those that a machine without a desktop needs */
export function launchChromium(...args: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...args],
  });
}
