import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ODDITY_NAMES } from '../mocks/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const cells = readFileSync(join(root, 'docs/public-registry.md'), 'utf8')
  .split('\n')
  .filter((line) => /\| test\//.test(line))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '').trim()));

const rows = cells.map((row) => {
  const [file = '', test = ''] = row.slice(-2);
  return { odd: row[0] ?? '', name: row.length === 5 ? row[1] : undefined, file, test: test.replace(/^`|`$/g, '') };
});

describe('the table of what is odd in the public registry', () => {
  it('has a row for each switch of the mocks', () => {
    const named = rows.flatMap(({ name }) => name ?? []);
    expect(named.toSorted()).toEqual(ODDITY_NAMES.map((name) => `\`${name}\``).toSorted());
  });

  it('has rows for what has no switch', () => {
    expect(rows.filter(({ name }) => name === undefined).length).toBeGreaterThan(5);
  });

  it.each(rows)('names a test that there is: $odd', ({ file, test }) => {
    const names = readFileSync(join(root, file), 'utf8').matchAll(/\(\s*'([^'\n]+)',\s/g);
    expect([...names].map(([, found]) => found).includes(test)).toBe(true);
  });
});
