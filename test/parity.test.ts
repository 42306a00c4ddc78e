import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as library from '../src/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the R client exports, but for its search in metadata; and one way to call one of them. */
const IN_R = `
  cacheDirectory restUrl accessToken setAccessToken
  fetchManifest fetchSummary fetchLatest fetchPermissions fetchQuota fetchUsage
  listProjects listAssets listVersions listFiles
  saveFile saveVersion saveVersion(relink=FALSE) resolveLinks cloneVersion prepareDirectoryUpload
  startUpload uploadFiles completeUpload abortUpload uploadDirectory
  createProject setPermissions setQuota approveProbation rejectProbation refreshLatest refreshUsage
  removeProject removeAsset removeVersion unlockProject publicS3Config`
  .trim()
  .split(/\s+/);

const unquote = (cell: string) => cell.replace(/^`|`$/g, '');

const rows = readFileSync(join(root, 'docs/parity.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| `.*\| test\//.test(line))
  .map((line) => line.split('|').slice(1, -1))
  .map(([inR = '', here = '', , file = '', test = '']) => ({
    inR: unquote(inR.trim()),
    here: unquote(here.trim()),
    file: file.trim(),
    test: unquote(test.trim()),
  }));

describe('the table of the functions of the R client', () => {
  it('has a row for each of them', () => {
    expect(rows.map(({ inR }) => inR)).toEqual(IN_R);
  });

  it.each(rows)('names for $inR what is exported', ({ inR, here }) => {
    expect(library).toHaveProperty(here);
    const hasOtherName = ['cacheDirectory', 'restUrl'].includes(inR);
    expect(hasOtherName || inR.replace(/\(.*/, '') === here).toBe(true);
  });

  it.each(rows)('names for $inR a test that there is, of the function', ({ here, file, test }) => {
    const text = readFileSync(join(root, file), 'utf8');
    expect(text).toContain(`('${test}', `);
    if (here !== 'PUBLIC_REGISTRY' && here !== 'defaultCacheDir') expect(text).toMatch(new RegExp(`\\b${here}\\b`));
  });
});
