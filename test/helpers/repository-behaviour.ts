import { describe, it } from 'vitest';
import { type RepositoryKind, repositoryBehaviour } from '../../mocks/index.ts';

/** What every kind of repository does; one that cannot be empty is only read. */
export function describeRepository(name: string, kind: RepositoryKind): void {
  describe(`a repository that is ${name}`, () => {
    for (const { name: what, writes, run } of repositoryBehaviour) {
      if (!writes || kind.empty !== undefined) it(what, () => run(kind));
    }
  });
}
