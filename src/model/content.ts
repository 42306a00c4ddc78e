/** What a file holds, as far as a manifest tells contents apart. */
export interface Content {
  /** Units: bytes */
  readonly size: number;
  readonly md5sum: string;
}

export function sameContent(a: Content, b: Content): boolean {
  return a.size === b.size && a.md5sum === b.md5sum;
}

/** Names a content among those of one project. */
export function contentId({ size, md5sum }: Content): string {
  return `${md5sum}/${size}`;
}
