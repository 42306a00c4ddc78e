import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { GypsumError, isSystemError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { showText } from '../model/text.ts';
import { isAlive, ownerSchema, thisProcess } from '../process-owner.ts';

const claimSchema = ownerSchema.extend({ destination: z.string(), since: z.iso.datetime() });

type ReplicaClaim = Readonly<z.infer<typeof claimSchema>>;

/** The folder in the user's state folder that has the claims. */
export const REPLICAS = 'replicas';

/**
 * Claims a folder, given by its real path, for this process as a replica; throws `in-use` if another process that is there has one
 * that is it, holds it, or lies in it. Two that begin in the same moment may both be refused. Gives what releases it.
 *
 * Shape:  <folder>/replicas/<id>.json   {host, pid, birth?, destination, since}
 */
export function claimReplica(folder: string, destination: string): () => void {
  const claims = join(folder, REPLICAS);
  const own = join(claims, `${randomUUID()}.json`);
  makeFolder(claims, 0o700);
  const claim: ReplicaClaim = { ...thisProcess(), destination, since: new Date().toISOString() };
  // Nobody reads half of it.
  writeFileSync(`${own}.new`, JSON.stringify(claim), { flag: 'wx', mode: 0o600 });
  renameSync(`${own}.new`, own);
  const release = () => removeIfThere(own);
  for (const name of readdirSync(claims)) {
    const path = join(claims, name);
    if (path === own || !name.endsWith('.json')) continue;
    const other = readClaim(path);
    if (other === undefined || !overlap(other.destination, destination)) continue;
    if (isAlive(other) === false) removeIfThere(path);
    else {
      release();
      throw inUse(destination, other, path);
    }
  }
  return release;
}

function readClaim(path: string): ReplicaClaim | undefined {
  try {
    return claimSchema.safeParse(parseJsonIfAny(readFileSync(path, 'utf8'))).data;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function overlap(a: string, b: string): boolean {
  const [one, other] = [`${a}/`, `${b}/`];
  return one.startsWith(other) || other.startsWith(one);
}

function inUse(destination: string, { host, pid, since, destination: held }: ReplicaClaim, path: string): GypsumError {
  return new GypsumError(
    'in-use',
    `Process ${pid} on ${showText(host)} is writing to ${showText(held)} since ${since}.`,
    {
      hint: `Wait for it to end. If there is no such process any more, remove ${showText(path)}.`,
      details: { destination, host, pid },
    },
  );
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}
