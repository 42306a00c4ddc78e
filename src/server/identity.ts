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

/**
 * Makes administrators of people by name. A name counts to the letter, like the names in permissions: with a token file
 * `Ann` and `ann` may be two people.
 */
export function withAdmins(identity: Identity, names: readonly string[]): Identity {
  const admins = new Set(names);
  return {
    async identify(token) {
      const who = await identity.identify(token);
      return who && { ...who, admin: who.admin || admins.has(who.id) };
    },
  };
}
