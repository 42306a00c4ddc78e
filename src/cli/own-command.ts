import { fileURLToPath } from 'node:url';

/** Gives the program and the first argument that run this command, whatever it was called by. */
export function ownCommand(): readonly [string, string] {
  return [process.execPath, fileURLToPath(new URL('main.js', import.meta.url))];
}
