import type { Exchange } from './listen.ts';
import { factsOf } from './request-facts.ts';
import { findRoute } from './routes.ts';

/** Units: characters. What is longer says nothing more to whoever reads a log. */
const MAX_PATH = 2048;

/** What `createSigner` issues: the Base64 of a list that begins with a text, and a signature. */
const TICKET = /WyJ[\w-]{8,}\.[\w-]{43}(?![\w-])/g;

/**
 * A request and how it was answered, as one line of a log. What stands in its address to prove a right is left out, and
 * no header is shown.
 *
 * Units: bytes, milliseconds
 */
export interface AccessEntry {
  readonly time: string;
  readonly id: string;
  readonly remote?: string;
  readonly user?: string;
  /** How many files were asked for, where it may be many. */
  readonly files?: number;
  readonly method: string;
  /** The name of the route; left out where there is none. */
  readonly route?: string;
  /** As it was sent, percent-encoded. */
  readonly path: string;
  /** 0 where the connection ended before there was an answer. */
  readonly status: number;
  readonly received: number;
  readonly sent: number;
  readonly duration: number;
  /** Only where it is so: the answer did not get to its end. */
  readonly aborted?: true;
}

/** Says what is logged of an exchange. */
export function accessEntry({ request, method, target, id, ...exchange }: Exchange): AccessEntry {
  const route = request && findRoute(request)?.name;
  const facts = request && factsOf(request);
  const remote = facts?.remote ?? exchange.remote;
  return {
    time: exchange.started.toISOString(),
    id,
    ...(remote !== undefined && { remote }),
    ...(facts?.user !== undefined && { user: facts.user }),
    method,
    ...(route !== undefined && { route }),
    path: showTarget(target, route),
    ...(facts?.files !== undefined && { files: facts.files }),
    status: exchange.status,
    received: exchange.received,
    sent: exchange.sent,
    duration: Math.round(exchange.duration * 10) / 10,
    ...(exchange.aborted && { aborted: true }),
  };
}

/** Gives an entry as text for people. */
export function accessText({
  time,
  remote,
  user,
  method,
  path,
  files,
  status,
  sent,
  duration,
  aborted,
  id,
}: AccessEntry): string {
  const end = aborted ? ' aborted' : '';
  const many = files === undefined ? '' : ` ${files} files`;
  return `${time} ${remote ?? '-'} ${user === undefined ? '-' : JSON.stringify(user)} ${method} ${path}${many} ${status}${end} ${sent} B ${duration} ms ${id}`;
}

/** Slugs and tickets are signed, and whoever has one may use it, wherever it was sent to by mistake or by a proxy. */
function showTarget(target: string, route: string | undefined): string {
  const path = target.replace(/[?#].*$/s, '').replace(/(\/upload\/+(?:presigned-file|content)\/).*/s, '$1…');
  const shown = (route === 'list' ? path + listQuery(target) : path).replace(TICKET, '…');
  // What is no printable character has no place in an address, and none in a log.
  const safe = shown.replace(/[^\x21-\x7e…]/g, (character) => encodeURIComponent(character.toWellFormed()));
  return safe.length > MAX_PATH ? `${safe.slice(0, MAX_PATH)}…` : safe;
}

/** What a listing is asked for; what else stands in its query is nothing of ours, and may be anybody's secret. */
function listQuery(target: string): string {
  const query = /\?([^#]*)/s.exec(target)?.[1] ?? '';
  const asked = query.split('&').filter((part) => /^(?:prefix|recursive)=/.test(part));
  return asked.length === 0 ? '' : `?${asked.join('&')}`;
}
