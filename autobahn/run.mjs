// Runs Autobahn's suite in both directions, against hawser and against ws. Needs a Docker engine.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const here = import.meta.dirname;
const image = 'crossbario/autobahn-testsuite';
const agents = ['hawser', 'ws'];

if (spawnSync('docker', ['info'], { stdio: 'ignore' }).status !== 0) {
  console.error('autobahn: a running Docker engine is needed (`docker info` fails); nothing was tested.');
  process.exit(1);
}

function docker(...args) {
  const volumes = ['-v', `${join(here, 'config')}:/config:ro`, '-v', `${join(here, 'reports')}:/reports`];
  return ['run', '--rm', '--network=host', ...volumes, ...args];
}

function node(...args) {
  return spawn(process.execPath, args, { cwd: here, stdio: ['ignore', 'pipe', 'inherit'] });
}

mkdirSync(join(here, 'reports'), { recursive: true });

const servers = agents.map((agent, index) => node('echo-server.mjs', agent, String(9101 + index)));
await Promise.all(servers.map((server) => once(server.stdout, 'data')));
execFileSync('docker', docker(image, 'wstest', '-m', 'fuzzingclient', '-s', '/config/fuzzingclient.json'), {
  stdio: 'inherit',
});
for (const server of servers) server.kill();

const name = `autobahn-${process.pid}`;
const fuzzing = spawn(
  'docker',
  docker('--name', name, image, 'wstest', '-m', 'fuzzingserver', '-s', '/config/fuzzingserver.json'),
  { stdio: 'inherit' },
);
await sleep(5_000);
for (const agent of agents) {
  const client = node('echo-client.mjs', agent, 'ws://127.0.0.1:9001');
  client.stdout.pipe(process.stdout);
  const [code] = await once(client, 'exit');
  if (code !== 0) process.exitCode = 1;
}
spawnSync('docker', ['rm', '-f', name], { stdio: 'ignore' });
fuzzing.kill();

const expected = JSON.parse(readFileSync(join(here, 'expected-results.json'), 'utf8'));

for (const side of ['servers', 'clients']) {
  const index = JSON.parse(readFileSync(join(here, 'reports', side, 'index.json'), 'utf8'));
  for (const [agent, cases] of Object.entries(index)) {
    const words = Object.entries(cases).map(([id, verdict]) => ({ id, ...verdict }));
    const others = words.filter(
      ({ id, behavior, behaviorClose }) =>
        behavior !== expected[id]?.behavior || behaviorClose !== expected[id]?.behaviorClose,
    );
    const missing = Object.keys(expected).filter((id) => cases[id] === undefined);
    console.log(`${side} ${agent}: ${words.length - others.length} of ${words.length} as hawser has to be`);
    for (const { id, behavior, behaviorClose } of others)
      console.log(`  ${id} ${behavior}, close ${behaviorClose}`);
    if (missing.length > 0) console.log(`  did not run: ${missing.join(' ')}`);
    if (agent === 'hawser' && others.length + missing.length > 0) process.exitCode = 1;
  }
}
