export type { Call, CallFilter } from './calls.ts';
export { bytes, cutOff, delay, disconnected, type Fault, flipped, status, wrongLength } from './faults.ts';
export {
  createMockRegistry,
  type InjectOptions,
  type MockRegistry,
  type MockRegistryOptions,
  startMockRegistry,
} from './mock-registry.ts';
export { ODDITY_NAMES, type Oddities } from './oddities.ts';
export {
  REPOSITORY_SAMPLE,
  type RepositoryBehaviour,
  type RepositoryKind,
  repositoryBehaviour,
} from './repository-behaviour.ts';
export type { Seed, SeedFile } from './seed.ts';
