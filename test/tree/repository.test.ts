import { openLocalRepository } from '../../src/index.ts';
import { memoryRepository } from '../helpers/memory-repository.ts';
import { describeRepository } from '../helpers/repository-behaviour.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

describeRepository('a local folder', { empty: async () => openLocalRepository(await tempFolder()) });
describeRepository('a local folder with MD5 for a digest', {
  empty: async () => openLocalRepository(await tempFolder(), { algorithm: 'md5' }),
});
describeRepository('in memory', { empty: async () => memoryRepository([]) });
describeRepository('in memory, and moves nothing', {
  empty: async () => memoryRepository([], { moves: false, copies: false }),
});
