import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** Kills its process, as a power cut would, before the call with this number that changes the file system. */
const CHANGING = [
  'chmod',
  'copyFile',
  'fsync',
  'link',
  'mkdir',
  'rename',
  'rm',
  'rmdir',
  'symlink',
  'unlink',
  'write',
  'writeFile',
];

let left = Number(process.env.DIE_AT);

function watch(calls, name) {
  const call = calls[name];
  calls[name] = (...args) => {
    if (left-- === 0) process.kill(process.pid, 'SIGKILL');
    return call.apply(calls, args);
  };
}

for (const name of CHANGING) {
  watch(fs, `${name}Sync`);
  if (name in fs.promises) watch(fs.promises, name);
}
syncBuiltinESMExports();
