// Plays 200 rounds, or as many as are asked for in GYPSUM_CHAOS_ROUNDS.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const tests = fileURLToPath(new URL('../../scripts/run-tests.mjs', import.meta.url));
const env = { GYPSUM_CHAOS_ROUNDS: '200', ...process.env };
const { status } = spawnSync(process.execPath, [tests, 'test/chaos'], { stdio: 'inherit', env });
process.exitCode = status ?? 1;
