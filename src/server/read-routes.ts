import { Readable } from 'node:stream';
import { GypsumError } from '../errors.ts';
import { MAX_KEY_BYTES } from '../model/names.ts';
import { showText } from '../model/text.ts';
import { authenticate, type ServerContext } from './context.ts';
import { isDocument } from './documents.ts';
import { failure, json, refuse, webStream } from './http.ts';
import { planRead, type ReadPlan } from './read-plan.ts';
import type { Handlers } from './routes.ts';
import type { ObjectInfo, StoredObject } from './storage.ts';

/** Entries of a listing; the public registry sorts each page of so many by itself. */
const PAGE = 1000;

/** Routes that anybody may use. */
export function readRoutes(context: ServerContext): Pick<Handlers, 'file' | 'list' | 'whoami'> {
  const { storage } = context;
  return {
    async file(request, { key }) {
      checkKey(key);
      if (request.method === 'HEAD') {
        const info = await storage.head(key);
        if (info === undefined) throw notFound(key);
        return respond(info, planRead(request, info), undefined);
      }
      let plan: ReadPlan | undefined;
      const object: StoredObject | undefined = await storage.get(key, (info) => {
        plan = planRead(request, info);
        return plan.range;
      });
      if (object === undefined || plan === undefined) throw notFound(key);
      return respond(object, plan, object.body);
    },

    list(request) {
      const query = new URL(request.url).searchParams;
      const recursive = query.get('recursive') === 'true';
      const keys = storage.list(query.get('prefix') ?? '', { recursive });
      return new Response(webStream(Readable.from(writeList(keys), { objectMode: false })), {
        headers: { 'content-type': 'application/json', 'access-control-allow-origin': '*' },
      });
    },

    async whoami(request) {
      const { id, admin } = await authenticate(context, request);
      return json({ id, admin }, { open: true });
    },
  };
}

function respond(info: ObjectInfo, plan: ReadPlan, body: Readable | undefined): Response {
  const headers = new Headers(plan.headers);
  headers.set('access-control-allow-origin', '*');
  headers.set('accept-ranges', 'bytes');
  headers.set('etag', `"${info.md5}"`);
  headers.set('last-modified', info.modified.toUTCString());
  if (plan.length === undefined) {
    body?.destroy();
    return plan.status === 416 ? unsatisfiable(headers) : new Response(null, { status: plan.status, headers });
  }
  headers.set('content-length', String(plan.length));
  const type = isDocument(info.key) ? 'application/json' : info.contentType;
  if (type !== undefined) headers.set('content-type', type);
  return new Response(body === undefined ? null : webStream(body), { status: plan.status, headers });
}

function unsatisfiable(headers: Headers): Response {
  const response = failure(refuse('The object has no such range.', 416));
  for (const [name, value] of headers) response.headers.set(name, value);
  return response;
}

async function* writeList(keys: AsyncIterable<string>): AsyncGenerator<string> {
  let separator = '[';
  for await (const page of pages(keys)) {
    const folders = page.filter((key) => key.endsWith('/'));
    const objects = page.filter((key) => !key.endsWith('/'));
    yield separator + [...folders, ...objects].map((key) => JSON.stringify(key)).join(',');
    separator = ',';
  }
  yield separator === '[' ? '[]' : ']';
}

async function* pages(keys: AsyncIterable<string>): AsyncGenerator<string[]> {
  let page: string[] = [];
  for await (const key of keys) {
    page.push(key);
    if (page.length === PAGE) {
      yield page;
      page = [];
    }
  }
  if (page.length > 0) yield page;
}

function checkKey(key: string): void {
  if (key.includes('\0')) throw refuse('A key cannot hold a NUL character.');
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw refuse(`A key cannot be longer than ${MAX_KEY_BYTES} bytes.`);
}

function notFound(key: string): GypsumError {
  return new GypsumError('not-found', `The object "${showText(key)}" does not exist.`, { details: { key } });
}
