/** What one line of a bulk answer says, with the bytes behind it as text. */
export interface BulkFrame {
  readonly path?: string;
  readonly size?: number;
  readonly status?: number;
  readonly reason?: string;
  readonly end?: true;
  readonly content?: string;
}

/** Takes a bulk answer apart; what broke off is left out. */
export function bulkFrames(answer: Uint8Array): BulkFrame[] {
  const frames: BulkFrame[] = [];
  const bytes = Buffer.from(answer);
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\n', at);
    if (end === -1) break;
    const line = JSON.parse(bytes.toString('utf8', at, end)) as BulkFrame;
    at = end + 1 + (line.size ?? 0);
    if (at > bytes.length) break;
    frames.push(line.size === undefined ? line : { ...line, content: bytes.toString('utf8', end + 1, at) });
  }
  return frames;
}
