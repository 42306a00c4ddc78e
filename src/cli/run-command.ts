import { type Client, createClient } from '../client.ts';
import { configFromEnvironment } from '../config.ts';
import { jsonText } from '../model/json-text.ts';
import { checkLine } from './check-line.ts';
import type { Call } from './command.ts';
import type { Io } from './io.ts';
import type { Called } from './program.ts';
import { createDisplay } from './progress-display.ts';
import { errorLines, exitCodeOf } from './report.ts';

/** Has a command act, shows what it gives or throws, and gives the exit code. */
export async function runCommand({ command, args, options, shared }: Called, io: Io): Promise<number> {
  const { json = false, quiet = false, registry, cache, siteCache, shared: isShared, offline } = shared;
  const display = quiet ? undefined : createDisplay({ ...io, terminal: await io.terminal?.(), write: io.stderr });
  const flags = {
    ...(registry !== undefined && { url: registry }),
    ...(cache !== undefined && { cacheDir: cache }),
    ...(siteCache !== undefined && { siteCacheDir: siteCache }),
    ...(isShared !== undefined && { shared: isShared }),
    ...(offline !== undefined && { offline }),
  };
  let client: Client | undefined;
  try {
    const call: Call<never> = {
      args,
      options: options as never,
      flags,
      client() {
        client ??= createClient(configFromEnvironment(flags));
        return client;
      },
      checkLine,
      signal: io.signal,
      onEvent: (event) => display?.onEvent(event),
      print(line) {
        display?.clear();
        io.stdout(`${line}\n`);
      },
      warn(line) {
        display?.clear();
        io.stderr(`${line}\n`);
      },
      async pipe(chunk) {
        display?.clear();
        if (io.pipe !== undefined) return io.pipe(chunk);
        io.stdout(chunk.toString());
        return true;
      },
      quiet,
      json,
      colors: io.colors ?? false,
    };
    await io.begin?.();
    const result = await command.run(call);
    display?.stop();
    // Nothing is what a command gives that has printed all it had to say.
    if (json && result !== undefined) await printJson(command.json?.(result) ?? result, call);
    else if (result !== undefined) {
      const text = command.human(result, call);
      if (text !== '') io.stdout(`${text}\n`);
    }
    command.check?.(result, call);
    return command.exitCode?.(result, call) ?? 0;
  } catch (error) {
    display?.stop();
    if (error === io.signal.reason && error instanceof Error && 'exitCode' in error) {
      io.stderr(`${error.message}\n`);
      return Number(error.exitCode);
    }
    io.stderr(`gypsum: ${errorLines(error)}\n`);
    if (client !== undefined) {
      const { didYouMean } = await import('./near-names.ts');
      const near = await didYouMean(client, error, io.signal);
      if (near !== undefined) io.stderr(`${near}\n`);
    }
    return exitCodeOf(error);
  } finally {
    await client?.close();
  }
}

/** Prints as much of a result as somebody reads. */
async function printJson(result: unknown, { pipe }: Call<never>): Promise<void> {
  for (const piece of jsonText(result, 2)) {
    if (!(await pipe(piece))) return;
  }
  await pipe('\n');
}
