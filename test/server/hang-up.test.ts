import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { it } from 'vitest';
import { createRig } from '../helpers/rig.ts';

it.each([
  ['large', 1_000_000],
  ['small', 10_000],
])(
  'a client that hangs up in the middle of a %s file leaves nothing, and is no failure of the registry',
  async (_, size) => {
    // The rig itself fails if the registry reports a failure.
    const { client, registry } = await createRig({ projects: { p: {} } });
    const md5sum = createHash('md5').update(Buffer.alloc(size)).digest('hex');
    const session = await client.startUpload({ project: 'p', asset: 'a', version: 'v1' }, [
      { path: 'x', size, md5sum },
    ]);
    const url = `${registry.url}${session.files[0]?.url}`;
    const headers = { authorization: `Bearer ${session.token}` };
    const presigned = (await (await fetch(url, { method: 'POST', headers })).json()) as {
      url: string;
      md5sum_base64: string;
    };
    const target = new URL(presigned.url);
    const incoming = join(registry.data, 'incoming');
    for (let round = 0; round < 5; round++) {
      const socket = connect(Number(target.port), target.hostname);
      socket.on('error', () => {});
      socket.write(
        `PUT ${target.pathname} HTTP/1.1\r\nHost: ${target.host}\r\nContent-MD5: ${presigned.md5sum_base64}\r\nContent-Length: ${size}\r\n\r\n`,
      );
      socket.write(Buffer.alloc(size / 10));
      // A small one is not written down before all of it is there.
      if (size < 64 * 1024) await setTimeout(50);
      else while ((await readdir(incoming)).length === 0) await setTimeout(5);
      socket.resetAndDestroy();
      await once(socket, 'close');
      while ((await readdir(incoming)).length > 0) await setTimeout(5);
    }
    await client.abortUpload(session);
  },
);
