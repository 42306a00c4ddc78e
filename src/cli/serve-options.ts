import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'commander';
import { GypsumError } from '../errors.ts';
import { type Credentials, credentialsSchema } from '../server/index.ts';

export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It is a number from 0 to 65535.');
}

/** Reads an http(s) URL; gives it without a trailing slash. */
export function parseHttpUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url !== undefined && url.search === '' && url.hash === '' && url.username === '';
  if (isPlain && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, '');
  throw new InvalidArgumentError('It is a URL such as https://data.example.org/gypsum, without a query.');
}

/** Reads names with commas between. */
export function parseNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name !== '')) return names;
  throw new InvalidArgumentError('It is names with commas between, such as ann,bob.');
}

/** Reads the file of credentials that are given out. */
export async function readCredentials(file: string): Promise<Credentials> {
  const refuse = (what: string, cause?: unknown) =>
    new GypsumError('invalid-argument', `The file of credentials ${file} ${what}.`, {
      hint: 'It is JSON: {"s3-api": {"endpoint", "bucket", "key", "secret"}, "github-app": {"id", "secret"}}, each of the two if there is one.',
      details: { file },
      cause,
    });
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw refuse('cannot be read', error);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse('is not JSON', error);
  }
  const parsed = credentialsSchema.safeParse(value);
  if (!parsed.success) throw refuse('is not of the form that it must have', parsed.error);
  return parsed.data;
}
