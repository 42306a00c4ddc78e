import { refuse } from './http.ts';

/** Deeper than any document of the contract, and far from what a recursion can bear. */
const MAX_DEPTH = 64;

/**
 * Reads the JSON of a request, or throws `refused`: with status 413 beyond `limit`, else 400.
 *
 * Units: bytes
 */
export async function readJson(request: Request, limit: number): Promise<unknown> {
  const text = await readText(request, limit);
  if (isTooDeep(text)) throw refuse('The body is nested too deeply.');
  try {
    return JSON.parse(text);
  } catch {
    throw refuse('The body is not valid JSON.');
  }
}

async function readText(request: Request, limit: number): Promise<string> {
  const tooLarge = () => refuse(`The body is larger than the ${limit} bytes that are accepted here.`, 413);
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge();
  if (request.body === null) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks, size));
  } catch {
    throw refuse('The body is not valid UTF-8.');
  }
}

/** Counts brackets outside of strings: what a parser or a writer would have to recurse into. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = stringEnd(text, at);
        break;
      case '[':
      case '{':
        if (++depth > MAX_DEPTH) return true;
        break;
      case ']':
      case '}':
        depth--;
    }
  }
  return false;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
