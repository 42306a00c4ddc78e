import type { Buffer } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import type { RecordName } from '../cache/layout.ts';
import { readBytesIfThere } from '../cache/read-document.ts';
import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import { parseJsonIfAny } from '../model/json.ts';
import type { VersionRef } from '../model/refs.ts';
import type { CacheProblem } from './cache-problems.ts';
import { manifestIfSound, parseSummary } from './version-documents.ts';

/** Checks what is remembered of a version, and the other clients' copies of it. */
export async function checkDocuments(ctx: Context, ref: VersionRef, claimed: boolean): Promise<CacheProblem[]> {
  const { layout } = ctx.cache;
  const problems: CacheProblem[] = [];
  const records: Record<RecordName, Buffer | undefined> = {
    summary: await ctx.cache.readRecord(ref, 'summary'),
    manifest: await ctx.cache.readRecord(ref, 'manifest'),
  };
  for (const name of ['summary', 'manifest'] as const) {
    const content = records[name];
    if (content === undefined) continue;
    if (!canBeRead(name, content, ref)) {
      const message = `is not the ${name} of a version`;
      problems.push({ path: layout.record(ref, name), fault: 'invalid-document', message, ref });
      continue;
    }
    const path = layout.document(ref, name);
    const copy = await readBytesIfThere(path);
    if (copy === undefined ? claimed : !saysTheSame(copy, content)) {
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

function canBeRead(name: RecordName, content: Buffer, ref: VersionRef): boolean {
  if (name === 'manifest') return manifestIfSound(content, ref) !== undefined;
  try {
    parseSummary(content, ref);
    return true;
  } catch (error) {
    if (isGypsumError(error)) return false;
    throw error;
  }
}

function saysTheSame(a: Buffer, b: Buffer): boolean {
  return a.equals(b) || isDeepStrictEqual(parseJsonIfAny(a.toString('utf8')), parseJsonIfAny(b.toString('utf8')));
}
