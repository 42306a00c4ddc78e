import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** Kills its process, as a power cut would, before the call with this number that changes the file system. */
const CHANGING = ['chmod', 'copyFile', 'fsync', 'link', 'mkdir', 'rename', 'rm', 'rmdir', 'symlink', 'unlink', 'write'];

let left = Number(process.env.DIE_AT);

for (const name of CHANGING.map((word) => `${word}Sync`)) {
  const call = fs[name];
  fs[name] = (...args) => {
    if (left-- === 0) process.kill(process.pid, 'SIGKILL');
    return call.apply(fs, args);
  };
}
syncBuiltinESMExports();
