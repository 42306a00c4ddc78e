import { isDeepStrictEqual } from 'node:util';
import type { RecordName } from '../cache/layout.ts';
import { readIfThere } from '../cache/read-document.ts';
import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { checkManifest } from '../model/manifest.ts';
import type { VersionRef } from '../model/refs.ts';
import type { CacheProblem } from './cache-problems.ts';
import { parseSummary } from './version-documents.ts';

/** Checks what is remembered of a version, and the other clients' copies of it. */
export async function checkDocuments(ctx: Context, ref: VersionRef, claimed: boolean): Promise<CacheProblem[]> {
  const { layout } = ctx.cache;
  const problems: CacheProblem[] = [];
  const records: Record<RecordName, string | undefined> = {
    summary: await ctx.cache.readRecord(ref, 'summary'),
    manifest: await ctx.cache.readRecord(ref, 'manifest'),
  };
  for (const name of ['summary', 'manifest'] as const) {
    const text = records[name];
    if (text === undefined) continue;
    if (!canBeRead(name, text, ref)) {
      const message = `is not the ${name} of a version`;
      problems.push({ path: layout.record(ref, name), fault: 'invalid-document', message, ref });
      continue;
    }
    const path = layout.document(ref, name);
    const copy = await readIfThere(path);
    if (copy === undefined ? claimed : !saysTheSame(copy, text)) {
      const message = copy === undefined ? 'is not there' : `is not the ${name} of the version`;
      problems.push({ path, fault: 'stale-document', message, ref });
    }
  }
  if (records.manifest !== undefined && records.summary === undefined) {
    const message = 'has no summary beside it';
    problems.push({ path: layout.record(ref, 'manifest'), fault: 'stale-document', message, ref });
  }
  return problems;
}

function canBeRead(name: RecordName, text: string, ref: VersionRef): boolean {
  try {
    if (name === 'summary') parseSummary(text, ref);
    else checkManifest(parseJsonIfAny(text), ref);
    return true;
  } catch (error) {
    if (isGypsumError(error)) return false;
    throw error;
  }
}

function saysTheSame(a: string, b: string): boolean {
  return a === b || isDeepStrictEqual(parseJsonIfAny(a), parseJsonIfAny(b));
}
