import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** Counts the calls of a process to the file system by name, and writes them to standard error as JSON when it ends. */
const counts = {};

for (const part of [fs, fs.promises]) {
  for (const [name, call] of Object.entries(part)) {
    // Classes and native helpers are no calls of their own.
    if (typeof call !== 'function' || /^[A-Z_]/.test(name)) continue;
    const counted = (...args) => {
      counts[name] = (counts[name] ?? 0) + 1;
      return call.apply(part, args);
    };
    part[name] = Object.assign(counted, call);
  }
}
syncBuiltinESMExports();
process.on('exit', () => process.stderr.write(JSON.stringify(counts)));
