import { request } from 'node:http';
import { isDeepStrictEqual } from 'node:util';

/** One recorded request with its answer. */
export interface Exchange {
  readonly id: string;
  readonly tags?: readonly string[];
  readonly setup?: string;
  /** Units: milliseconds */
  readonly pause_ms?: number;
  readonly request: { method: string; path: string; headers?: Record<string, string>; body?: unknown };
  /** Names under which parts of the answer are used by later requests, each with the way to it in the answer. */
  readonly capture?: Readonly<Record<string, string>>;
  readonly response: { status: number; headers: Record<string, string>; body: unknown };
}

/** How an exchange went: `differences` says of each part of the answer that is another what it is. */
export interface Outcome {
  readonly status: number;
  readonly differences: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const LOG = /^\.\.logs\/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z_\d{6}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Plays exchanges against a registry, one after the other, and says of each what of the answer differs. */
export function createReplayer(base: string) {
  const variables = new Map<string, string>();

  function fill(text: string): string {
    return text.replace(/\{\{([^}!]+)(!?)\}\}/g, (_, name: string, encoded: string) => {
      const value = variables.get(name);
      if (value === undefined) throw new Error(`Nothing was captured as ${name}.`);
      return encoded ? encodeURIComponent(value) : value;
    });
  }

  return async function replay(exchange: Exchange): Promise<Outcome> {
    const { method, path, headers = {}, body } = exchange.request;
    const answer = await send(base, {
      method,
      path: fill(path),
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value)])),
      body:
        body === undefined || body === null ? undefined : fill(typeof body === 'string' ? body : JSON.stringify(body)),
    });
    const parsed = parseBody(answer);
    for (const [name, way] of Object.entries(exchange.capture ?? {})) {
      const value = walk(parsed, way);
      if (typeof value === 'string') variables.set(name, value);
      else variables.delete(name);
    }
    return { status: answer.status, differences: differences(exchange, answer, parsed, base) };
  };
}

function differences({ response, tags = [] }: Exchange, answer: Answer, parsed: unknown, base: string): string[] {
  const found: string[] = [];
  if (answer.status !== response.status) found.push(`status ${answer.status} instead of ${response.status}`);
  const body = placeholders(parsed, base);
  if (!isReason(response.body, body) && !isDeepStrictEqual(body, response.body)) {
    found.push(`body ${JSON.stringify(body)} instead of ${JSON.stringify(response.body)}`);
  }
  for (const [name, wanted] of Object.entries(response.headers)) {
    const given = headerPlaceholder(name, answer.headers[name], wanted, base);
    if (given !== wanted) found.push(`header ${name}: ${given} instead of ${wanted}`);
  }
  // What the recording is silent about, and ours must not add.
  const silent = ['content-type', 'access-control-allow-origin'].filter((name) => !(name in response.headers));
  for (const name of silent) {
    const given = answer.headers[name];
    if (given !== undefined && answer.status === response.status) found.push(`header ${name}: ${given} is too much`);
  }
  if (tags.includes('user-file') && answer.headers['content-length'] === undefined) found.push('no content-length');
  return found;
}

function isReason(wanted: unknown, given: unknown): boolean {
  return (
    isObject(wanted) &&
    wanted.reason === '<reason>' &&
    isObject(given) &&
    given.status === 'error' &&
    typeof given.reason === 'string' &&
    given.reason.length > 4
  );
}

/** Puts the recording's placeholders where an answer has what differs from run to run. */
function placeholders(value: unknown, base: string, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => placeholders(item, base));
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, placeholders(item, base, name)]));
  }
  if (key === 'year' && value === new Date().getUTCFullYear()) return '<current-year>';
  if (typeof value !== 'string') return value;
  if (key === 'session_token' && UUID.test(value)) return '<session_token>';
  if (key === 'endpoint' && /^https?:\/\//.test(value)) return '<s3-endpoint>';
  if (key === 'url' && value.startsWith('http://')) return '<presigned_url>';
  if (key === 'url' && value.startsWith('/upload/presigned-file/')) return '/upload/presigned-file/<slug>';
  if (key.startsWith('upload_') && ISO.test(value)) return '<iso-date>';
  if (LOG.test(value)) return '..logs/<iso-date>_<6-digits>';
  return value
    .replaceAll(base, '<base>')
    .replace(/"session_hash":"[A-Za-z0-9+/]{43}="/, '"session_hash":"<session_hash>"');
}

function headerPlaceholder(name: string, value: string | undefined, wanted: string, base: string): string | undefined {
  if (name === 'etag' && wanted === '<etag>') return /^"[0-9a-f]{32}"$/.test(value ?? '') ? wanted : value;
  if (name === 'last-modified') return Number.isNaN(Date.parse(value ?? '')) ? value : wanted;
  return value?.replaceAll(base, '<base>');
}

function parseBody({ headers, text }: Answer): unknown {
  return headers['content-type'] === 'application/json' && text !== '' ? JSON.parse(text) : text;
}

function walk(value: unknown, way: string): unknown {
  let at = value;
  for (const step of way.split('/')) {
    if (Array.isArray(at)) at = at.at(Number(step));
    else at = isObject(at) ? at[step] : undefined;
  }
  return at;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Sends a path exactly as it is written, which `fetch` would put in order first. */
function send(
  base: string,
  {
    method,
    path,
    headers,
    body,
  }: { method: string; path: string; headers: Record<string, string>; body: string | undefined },
): Promise<Answer> {
  const { hostname, port } = new URL(base);
  const target = path.startsWith('http://') ? path.slice(path.indexOf('/', 7)) : path;
  const data = Buffer.from(body ?? '');
  const length = method === 'POST' || method === 'PUT' || data.length > 0 ? { 'content-length': data.length } : {};
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path: target, headers: { ...headers, ...length }, agent: false });
    sent.on('error', reject);
    sent.on('response', async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers as Record<string, string | undefined>,
        text: Buffer.concat(chunks).toString(),
      });
    });
    sent.end(data);
  });
}
