import type { Registry } from '../../src/server/index.ts';
import { type CallOptions, md5, type Started } from './rig.ts';

export interface Talk {
  call(method: string, path: string, options?: CallOptions): Promise<Response>;
  /** The same, for its status. */
  status(method: string, path: string, options?: CallOptions): Promise<number>;
  /** Starts an upload of files of these contents. */
  start(ref: string, files: Files, options?: StartOptions): Promise<Started>;
  /** Sends the files of an upload that it asks for. */
  send(started: Started, files: Files): Promise<void>;
  publish(ref: string, files: Files, options?: StartOptions): Promise<void>;
}

export type Files = Readonly<Record<string, string>>;

export interface StartOptions {
  token?: string;
  probation?: boolean;
  type?: 'simple' | 'dedup';
}

/** Speaks with a registry that is a function; what is not answered with 200 is thrown, but by `call` and `status`. */
export function talkTo(registry: Pick<Registry, 'fetch'>): Talk {
  const talk: Talk = {
    call: (method, path, { token, body, headers = {} } = {}) =>
      registry.fetch(
        new Request(new URL(path, 'http://registry.test'), {
          method,
          headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        }),
      ),

    async status(method, path, options) {
      const answer = await talk.call(method, path, options);
      await answer.body?.cancel();
      return answer.status;
    },

    async start(ref, files, { token = 'owner', probation = false, type = 'simple' } = {}) {
      const announced = Object.entries(files).map(([path, content]) => ({
        type,
        path,
        size: Buffer.byteLength(content),
        md5sum: md5(content),
      }));
      const body = { files: announced, on_probation: probation };
      return checked(await talk.call('POST', `/upload/start/${ref}`, { token, body }));
    },

    async send({ file_urls, session_token }, files) {
      for (const { path, url } of file_urls) {
        const address = await checked<{ url: string; md5sum_base64: string }>(
          await talk.call('POST', url, { token: session_token }),
        );
        const headers = { 'content-md5': address.md5sum_base64 };
        await checked(await talk.call('PUT', address.url, { body: files[path] ?? '', headers }));
      }
    },

    async publish(ref, files, options) {
      const started = await talk.start(ref, files, options);
      await talk.send(started, files);
      await checked(await talk.call('POST', started.complete_url, { token: started.session_token }));
    },
  };
  return talk;
}

async function checked<T>(answer: Response): Promise<T> {
  const content = await answer.text();
  if (answer.status !== 200) throw new Error(`${answer.status} ${content}`);
  return (content === '' ? undefined : JSON.parse(content)) as T;
}
