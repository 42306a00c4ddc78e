/** Who a token belongs to. */
export interface Principal {
  readonly id: string;
  /** Permissions may name organisations as well as users. */
  readonly organizations: readonly string[];
  readonly admin: boolean;
}

/** Tells who sends a request. */
export interface Identity {
  /** Gives nothing for a token that is not known; throws `unauthorized` when that could not be found out. */
  identify(token: string): Promise<Principal | undefined>;
}
