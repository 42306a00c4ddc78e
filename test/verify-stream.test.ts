import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGypsumError } from '../src/errors.ts';
import { createVerifier, type Expected, verifyStream } from '../src/verify-stream.ts';

const expectedOf = (content: Uint8Array): Expected => ({
  size: content.byteLength,
  digest: { algorithm: 'md5', hex: createHash('md5').update(content).digest('hex') },
});

async function pass(expected: Expected, chunks: Uint8Array[], onBytes?: (bytes: number) => void): Promise<Buffer> {
  const verified = verifyStream(expected, 'p/a/v:/x', onBytes);
  const [, content] = await Promise.all([
    pipeline(Readable.from(chunks, { objectMode: false }), verified),
    buffer(verified),
  ]);
  return content;
}

describe('a verified stream', () => {
  it('passes the expected bytes on, in whatever pieces they come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 6 }), async (chunks) => {
        const content = Buffer.concat(chunks);
        let seen = 0;
        const count = (bytes: number) => {
          seen += bytes;
        };
        expect(await pass(expectedOf(content), chunks, count)).toEqual(content);
        expect(seen).toBe(content.length);
      }),
    );
  });

  const right = Buffer.from('right content');
  it.each([
    ['one byte less', right.subarray(1), { missing: 1, seen: 12 }],
    ['nothing', Buffer.alloc(0), { missing: 13 }],
    ['one byte more', Buffer.concat([right, Buffer.from('!')]), { size: 13 }],
    ['other bytes', Buffer.from('wrong content'), { expected: expectedOf(right).digest.hex }],
  ])('fails with %s', async (_what, content, details) => {
    const failure = await pass(expectedOf(right), [content]).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'wrong-content', message: expect.stringContaining('p/a/v:/x'), details });
  });

  it('says that bytes are missing only where the others may be good', async () => {
    for (const content of ['wrong content', 'right content and more']) {
      const failure = await pass(expectedOf(right), [Buffer.from(content)]).catch((error: unknown) => error);
      expect(isGypsumError(failure, 'wrong-content') && 'missing' in failure.details).toBe(false);
    }
  });

  it('passes none of the bytes that are too many', async () => {
    const verified = verifyStream(expectedOf(right), 'x');
    const passed: Buffer[] = [];
    verified.on('data', (chunk: Buffer) => passed.push(chunk));
    await expect(pipeline(Readable.from([right, Buffer.from('more')]), verified)).rejects.toThrow('longer');
    expect(Buffer.concat(passed).length).toBeLessThanOrEqual(right.length);
  });

  it('ends at once with a source that never does', async () => {
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(1024));
      },
    });
    await expect(pipeline(endless, verifyStream(expectedOf(right), 'x'))).rejects.toMatchObject({
      code: 'wrong-content',
    });
    expect(endless.destroyed).toBe(true);
  });
});

it('a verifier takes an empty content', () => {
  const verifier = createVerifier(expectedOf(Buffer.alloc(0)), 'x');
  verifier.update(Buffer.alloc(0));
  verifier.end();
});
