import { InvalidArgumentError } from 'commander';

const PREFIXES = ['', 'k', 'm', 'g', 't', 'p'];

/** Reads a size such as `10GB`, `5TiB` or `1000`, in bytes. */
export function parseSize(text: string): number {
  const [, number = '', prefix = '', binary = ''] = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(i?)b?$/i.exec(text) ?? [];
  const size = Math.round(
    Number(number || 'no') * (binary === '' ? 1000 : 1024) ** PREFIXES.indexOf(prefix.toLowerCase()),
  );
  if (Number.isSafeInteger(size)) return size;
  throw new InvalidArgumentError('It is a size such as 10GB, 5TiB or a number of bytes.');
}
