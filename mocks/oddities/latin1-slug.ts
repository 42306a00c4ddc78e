/** Writes a slug as the public registry does. */
export function latin1Slug(fields: readonly string[]): string {
  return Buffer.from(JSON.stringify(fields), 'latin1').toString('base64');
}

/** Gives what such a slug says, whoever wrote it; nothing for what is none. */
export function readLatin1Slug(slug: string): string[] | undefined {
  try {
    const fields: unknown = JSON.parse(Buffer.from(slug, 'base64').toString('latin1'));
    return Array.isArray(fields) && fields.every((field) => typeof field === 'string') ? fields : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
