/** What a proxy says of a request that it passed on. Where it says nothing that can be used, there is nothing. */
export interface Forwarded {
  readonly remote?: string;
  /** Such as `https://data.example.org`. */
  readonly base?: string;
  readonly id?: string;
}

/**
 * Reads the headers of a proxy. Anybody can send them: they are believed only where every request comes through one.
 *
 * Of a list of addresses the last counts, which is the one that our own proxy has seen.
 */
export function readForwarded(headers: Headers): Forwarded {
  const last = (name: string) => headers.get(name)?.split(',').at(-1)?.trim() ?? '';
  const remote = last('x-forwarded-for');
  const protocol = last('x-forwarded-proto');
  const host = last('x-forwarded-host') || (headers.get('host') ?? '');
  const id = headers.get('x-request-id') ?? '';
  return {
    ...(/^[0-9a-fA-F:.]{2,45}$/.test(remote) && { remote }),
    ...(/^https?$/.test(protocol) && /^[\w.-]+(:\d{1,5})?$|^\[[0-9a-fA-F:.]+\](:\d{1,5})?$/.test(host)
      ? { base: `${protocol}://${host}` }
      : {}),
    ...(/^[\w.:-]{1,128}$/.test(id) && { id }),
  };
}
