import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Units: bytes. No token is as long. */
const MAX_SECRET = 64 * 1024;

/** Whether somebody can be asked: what they type comes from a terminal, and what they are asked appears on one. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Asks for a line on the terminal that is not shown while it is typed. Ctrl-C is the same as anywhere else, and the
 * terminal is given back as it was in any case.
 */
export async function askSecret(question: string, signal: AbortSignal): Promise<string> {
  // readline echoes to its output whatever is typed and every key that edits it: here, to nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // The end of what is typed, Ctrl-D, is an empty answer.
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  // The terminal hands the key to us while it does not echo.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  process.stderr.write(question);
  try {
    return await Promise.race([lines.question('', { signal }), ended, interrupted]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}

/** Gives all of standard input, up to a size that no secret has. */
export async function readSecret(signal: AbortSignal): Promise<string> {
  const stop = () => process.stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of process.stdin) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_SECRET) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  signal.throwIfAborted();
  return Buffer.concat(chunks).toString('utf8');
}
