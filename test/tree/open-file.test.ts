import { appendFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFile } from '../../src/tree/open-file.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

async function read(place: string, from: number, meanwhile: (place: string) => void): Promise<string> {
  const file = openFile(place, 'file');
  try {
    meanwhile(place);
    const parts: Uint8Array[] = [];
    for await (const bytes of file.chunks(from)) parts.push(Uint8Array.from(bytes));
    return Buffer.concat(parts).toString();
  } finally {
    file.close();
  }
}

describe.each([
  ['small', 'few bytes'],
  ['large', 'many bytes'.repeat(300_000)],
])('the content of a %s file', (_, content) => {
  it.each<[string, (place: string) => void, string]>([
    ['stays as it is', () => {}, content],
    ['grows meanwhile', (place) => appendFileSync(place, ' and more'), `${content} and more`],
    ['is cut off meanwhile', (place) => truncateSync(place, 4), content.slice(0, 4)],
    ['is emptied meanwhile', (place) => truncateSync(place, 0), ''],
  ])('is read as it is then, from any byte on, if it %s', async (_, meanwhile, expected) => {
    const place = join(await tempFolder(), 'file');
    for (const from of [0, 2, content.length, content.length + 5]) {
      writeFileSync(place, content);
      expect(await read(place, from, meanwhile)).toBe(expected.slice(from));
    }
  });
});
