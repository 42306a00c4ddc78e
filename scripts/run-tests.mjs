// Runs the tests on the Node that runs this, also where the first one on the path is another.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

process.stdout.write(`Node ${process.version}\n`);
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const { status } = spawnSync(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
