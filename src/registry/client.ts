import { z } from 'zod';
import { GypsumError, isGypsumError } from '../errors.ts';
import { type CallOptions, callOf } from '../events.ts';
import { checkKey } from '../model/names.ts';
import type { VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { type Body, dateOf, readAll } from './answers.ts';
import { type Many, readMany, type Sizes } from './bulk.ts';
import { MAX_DOCUMENT, readDocument, refuseError } from './documents.ts';
import { NEEDS_TOKEN } from './failures.ts';
import { askFeatures, featuresIn } from './features.ts';
import { askGithubUser } from './github.ts';
import { type Consume, createHttp, type Exchange, type Http, type HttpOptions } from './http.ts';
import { jsonBody } from './json-body.ts';
import type { Read } from './read.ts';
import { parseRegistryUrl, parseUrl } from './registry-url.ts';
import { type Rest, restHeaders, startOf } from './rest.ts';

export interface RegistryOptions extends HttpOptions {
  /** Where the registry is, such as `https://gypsum.artifactdb.com`. */
  url: string;
  token?: string | undefined;
  userAgent: string;
  /** @default 'https://api.github.com' */
  githubUrl?: string | undefined;
  /** Hears by which name the registry calls itself; what it throws is how the request ends. */
  onName?: ((name: string) => Promise<void>) | undefined;
}

/**
 * The REST API as its contract has it: keys, documents and bodies. What they mean is for others to know.
 */
export interface Registry {
  /** The registry's URL without a trailing slash. */
  readonly url: string;
  readonly origin: string;
  readonly hasToken: boolean;
  /** No request is made. */
  readonly isOffline: boolean;
  /** For whoever else has to be asked: by the same way, and without the token. */
  readonly http: Pick<Http, 'request'>;
  /** Lists keys below a prefix; one level with a slash behind folders, or all. */
  list(prefix: string, options?: CallOptions & { recursive?: boolean }): Promise<string[]>;
  /** Gives an object's content, as it was sent, up to `limit` bytes. */
  read(key: string, limit: number, options?: CallOptions): Promise<Buffer>;
  /** The same, with when it was sent by the registry's own clock, if the answer says so. */
  readDated(key: string, limit: number, options?: CallOptions): Promise<Dated>;
  /** Gives the document at a path of its own, for which no token is needed where reading needs none. */
  look<T>(request: { what: string; path: string; answer: z.ZodType<T> }, options?: CallOptions): Promise<T>;
  /**
   * Lets `consume` have an object's content; it starts over with each attempt. With `rest`, and where the registry says
   * that it can, an attempt asks for the rest alone of what is there already: what comes then begins at `start`.
   */
  stream<T>(key: string, consume: (body: Body, start: number) => Promise<T>, options?: StreamOptions): Promise<T>;
  /** Sends a request with the token, or with a session's; its answer says no more than that it was done. */
  send(request: SendRequest, options?: CallOptions): Promise<void>;
  /** The same for a request whose answer is a document. */
  ask<T>(request: SendRequest & { answer: z.ZodType<T> }, options?: CallOptions): Promise<T>;
  /** Gives what the registry says that it can do beside the contract, such as `whoami`. */
  features(options?: CallOptions): Promise<ReadonlySet<string>>;
  /** Whether the registry says that it can do something beside the contract; nothing before an answer has told. */
  offers(feature: string): boolean | undefined;
  /**
   * Asks once, in one request, for files of a version, and gives what came of each, unverified, by its path; of what kept
   * the others from coming, if anything did, `error` tells. Whatever did not come can be asked for alone.
   */
  readMany(ref: VersionRef, sizes: Sizes, options?: CallOptions): Promise<Many>;
  /** Whether the rest of an object can be asked for; it is asked only if no answer has told yet. */
  hasRange(options?: CallOptions): Promise<boolean>;
  /** Asks GitHub for the user whose token it is: a registry without an identity of its own asks the same. */
  githubUser(options?: CallOptions): Promise<string>;
  /** Sends content to a presigned URL, without any token. */
  put(request: PutRequest, options?: CallOptions): Promise<void>;
  close(): Promise<void>;
}

export interface StreamOptions extends CallOptions {
  /** Says for each attempt of what the beginning is there; nothing if none is. */
  rest?: () => Promise<Rest | undefined>;
}

/** Content, and when it was sent by the clock of whoever sent it. */
export interface Dated {
  readonly content: Buffer;
  readonly date: Date | undefined;
}

export interface SendRequest {
  what: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** A path below the registry's URL, encoded, or a URL from one of its answers. */
  to: string;
  /** Sent as JSON; what makes its items when they are asked for stands for a list of them. */
  document?: unknown;
  /** Stands in for the registry's token. */
  sessionToken?: string;
  /** How long the answer may take. Units: milliseconds */
  patience?: number;
  shouldRetry?: (error: unknown) => boolean;
}

export interface PutRequest {
  what: string;
  url: string;
  headers: Record<string, string>;
  body: NonNullable<Exchange['body']>;
  shouldRetry?: (error: unknown) => boolean;
}

/** Makes the client of one registry, or throws `invalid-argument` for an impossible URL. */
export function createRegistryClient({
  url,
  token,
  userAgent,
  githubUrl = 'https://api.github.com',
  onName,
  ...http
}: RegistryOptions): Registry {
  const base = parseRegistryUrl(url);
  // What it can do beside the contract; not known before the first answer.
  let offered: ReadonlySet<string> | undefined;
  const client = createHttp(userAgent, http, async (url, headers) => {
    if (url.origin !== base.origin) return;
    if (headers['gypsum-features'] !== undefined) offered = featuresIn(headers);
    const name = headers['gypsum-registry'];
    if (typeof name === 'string') await onName?.(name);
  });
  const root = base.href.replace(/\/+$/, '');
  const at = (path: string) => new URL(root + path);

  const toUrl = (to: string): URL => {
    const target = to.startsWith('/') && !to.startsWith('//') ? at(to) : parseUrl(to);
    if (target?.origin === base.origin) return target;
    // The URL may be signed: no more of it is shown than where it leads.
    const where = target === undefined ? 'something that is no URL' : target.origin;
    throw new GypsumError('invalid-response', `The registry names ${where} for its own next step.`, {
      hint: `A token is only ever sent to ${base.origin}. Tell the people who run the registry.`,
      details: { origin: target?.origin },
    });
  };

  const needToken = (what: string): string => {
    if (token !== undefined) return token;
    throw new GypsumError('unauthorized', `${what} needs a token.`, {
      hint: NEEDS_TOKEN,
    });
  };

  const sendWith = <T>(
    { what, to, document: sent, sessionToken, ...exchange }: SendRequest,
    options: CallOptions | undefined,
    consume: (body: Body) => Promise<T>,
  ): Promise<T> => {
    const token = sessionToken ?? needToken(what);
    const asked = { what, url: toUrl(to), token, ...exchange, ...(sent === undefined ? {} : jsonBody(sent)) };
    return client.request({ ...asked, ...callOf(options) }, consume);
  };

  // Most registries let everybody read, and need not be told who it is.
  let isPrivate = false;
  const readWith: Read = async ({ path, ...exchange }, options, consume) => {
    const ask = (sent: string | undefined) =>
      client.request({ method: 'GET', ...exchange, url: at(path), token: sent, ...callOf(options ?? {}) }, consume);
    // What others found out meanwhile says nothing of what this request was sent with.
    const sent = isPrivate ? token : undefined;
    try {
      return await ask(sent);
    } catch (error) {
      if (sent !== undefined || token === undefined || !isGypsumError(error, 'unauthorized')) throw error;
      isPrivate = true;
      return ask(token);
    }
  };

  const readObject = async <T>(
    key: string,
    exchange: Pick<Exchange, 'what' | 'headers'>,
    options: CallOptions | undefined,
    consume: Consume<T>,
  ): Promise<T> =>
    readWith({ ...exchange, path: `/file/${encodeURIComponent(checkKey(key))}` }, options, (...answer) => {
      // What can do more says so with every object.
      offered ??= new Set();
      return consume(...answer);
    });

  const features = (options?: CallOptions) => askFeatures(readWith, base.origin, options);

  const readDated = (key: string, limit: number, options?: CallOptions): Promise<Dated> => {
    const what = `Reading "${showText(key)}"`;
    return readObject(key, { what }, options, async (body, headers) => ({
      content: await readAll(body, limit, what),
      date: dateOf(headers),
    }));
  };

  return {
    url: root,
    origin: base.origin,
    hasToken: token !== undefined,
    isOffline: http.offline === true,
    http: client,

    async list(prefix, { recursive = false, ...options } = {}) {
      const what = prefix === '' ? 'Listing the projects' : `Listing "${showText(prefix)}"`;
      // The public registry decodes what it was sent once more.
      const isPlain = !prefix.includes('%') || (await features(options)).has('prefix');
      const query = new URLSearchParams({
        ...(prefix === '' ? {} : { prefix: isPlain ? prefix : prefix.replaceAll('%', '%25') }),
        ...(recursive ? { recursive: 'true' } : {}),
      });
      return readWith({ what, path: `/list?${query}` }, options, (body) =>
        readDocument(body, z.array(z.string()), what),
      );
    },

    read: async (key, limit, options) => (await readDated(key, limit, options)).content,

    readDated,

    look: ({ what, path, answer }, options) =>
      readWith({ what, path }, options, (body) => readDocument(body, answer, what)),

    stream(key, consume, { rest, ...options } = {}) {
      const what = `Fetching "${showText(key)}"`;
      let asked: Rest | undefined;
      const headers = async () => {
        asked = offered?.has('range') ? await rest?.() : undefined;
        return asked === undefined ? {} : restHeaders(asked);
      };
      return readObject(key, { what, headers }, options, (body, sent, status) =>
        consume(body, startOf(status, sent, asked, what)),
      );
    },

    async send(request, options) {
      await sendWith(request, options, async (body) => {
        refuseError((await readAll(body, MAX_DOCUMENT, request.what)).toString('utf8'), request.what);
      });
    },

    ask: async ({ answer, ...request }, options) =>
      sendWith(request, options, (body) => readDocument(body, answer, request.what)),

    features,

    offers: (feature) => offered?.has(feature),

    readMany: (...asked) => readMany(readWith, ...asked),

    async hasRange(options) {
      try {
        offered ??= await features(options);
      } catch (error) {
        // Whoever does not answer to this may still give objects.
        if (!isGypsumError(error) || error.code === 'unavailable') throw error;
        offered = new Set();
      }
      return offered.has('range');
    },

    async githubUser(options) {
      // Such a token is for the one registry that made it, whatever stands before that one and hides what it can do.
      if (token?.startsWith('gypsum_')) {
        throw new GypsumError('unauthorized', `${root} does not say whose token it is, and GitHub has not made it.`, {
          hint: 'Check that the URL is the one of the registry that the token is for.',
        });
      }
      return askGithubUser(client, githubUrl, needToken('Asking GitHub whose token it is'), options);
    },

    async put({ what, url: target, ...exchange }, options) {
      const presigned = target.startsWith('/') && !target.startsWith('//') ? at(target) : parseUrl(target);
      if (presigned === undefined) {
        throw new GypsumError('invalid-response', `${what} failed: the registry gave no usable URL for it.`, {
          hint: 'Tell the people who run the registry.',
        });
      }
      await client.request({ what, method: 'PUT', url: presigned, ...exchange, ...callOf(options) }, async (answer) => {
        await readAll(answer, MAX_DOCUMENT, what);
      });
    },

    close: () => client.close(),
  };
}
