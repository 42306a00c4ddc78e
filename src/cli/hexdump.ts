/** How many bytes stand in a line. */
const WIDTH = 16;

/** Gives bytes as text: how many there are, then 16 in a line with their place and, where they are ASCII, their characters. */
export async function* hexdump(size: number, chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  yield `Length: ${size} (0x${size.toString(16)}) bytes\n`;
  let at = 0;
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    const whole = bytes.length - (bytes.length % WIDTH);
    yield dump(bytes.subarray(0, whole), at);
    at += whole;
    rest = bytes.subarray(whole);
  }
  yield dump(rest, at);
}

function dump(bytes: Buffer, from: number): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const line = bytes.subarray(at, at + WIDTH);
    const hex = [...line].map((byte) => byte.toString(16).padStart(2, '0'));
    const halves = `${hex.slice(0, 8).join(' ')}  ${hex.slice(8).join(' ')}`.padEnd(3 * WIDTH);
    text += `${(from + at).toString(16).padStart(8, '0')}  ${halves}  |${line.toString('latin1').replace(/[^ -~]/g, '.')}|\n`;
  }
  return text;
}
