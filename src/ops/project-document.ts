import type { z } from 'zod';
import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { parseDocument } from '../registry/documents.ts';
import { noProject } from './check-project.ts';

/** Units: bytes. Permissions of thousands of users fit. */
const MAX_DOCUMENT = 1024 * 1024;

/** A document of a project, and when it was read by the registry's own clock, if that is known. */
export interface ProjectDocument<T> {
  readonly document: T;
  readonly date: Date | undefined;
}

/** Reads a document of a project, or throws `not-found` where there is no such project. */
export async function readProjectDocument<T>(
  ctx: Context,
  project: string,
  { key, what, form }: { key: string; what: string; form: z.ZodType<T> },
  options: CallOptions,
): Promise<ProjectDocument<T>> {
  try {
    const { content, date } = await ctx.registry.readDated(key, MAX_DOCUMENT, options);
    return { document: parseDocument(content.toString('utf8'), form, what), date };
  } catch (error) {
    throw isGypsumError(error, 'not-found') ? noProject(project, error) : error;
  }
}
