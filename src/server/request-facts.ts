/** What is known of a request beside what it says. */
export interface RequestFacts {
  /** The same in the answer, in the access log and in the report of a failure. */
  readonly id: string;
  /** The address that it came from. */
  readonly remote?: string;
  /** Who has sent it, once that has been found out. */
  user?: string;
  /** How many files it asks for, where it may be many. */
  files?: number;
}

const facts = new WeakMap<Request, RequestFacts>();

export function setFacts(request: Request, known: RequestFacts): void {
  facts.set(request, known);
}

/** Gives nothing for a request that came over no connection. */
export function factsOf(request: Request): RequestFacts | undefined {
  return facts.get(request);
}
