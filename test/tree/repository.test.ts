import { openLocalRepository } from '../../src/index.ts';
import { memoryRepository } from '../helpers/memory-repository.ts';
import { describeRepository } from '../helpers/repository-behaviour.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

describeRepository('a local folder', async () => openLocalRepository(await tempFolder()));
describeRepository('in memory', async () => memoryRepository([]));
describeRepository('in memory, and moves nothing', async () => memoryRepository([], { cheap: false }));
