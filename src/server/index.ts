export { type AccessEntry, accessEntry, accessText } from './access-log.ts';
export type { BackedUp, BackupOptions } from './backup-registry.ts';
export { type Credentials, credentialsSchema } from './credentials.ts';
export { type DiskStorageOptions, diskStorage } from './disk-storage.ts';
export { type GithubIdentityOptions, githubIdentity } from './github-identity.ts';
export { type Identity, type Principal, withAdmins } from './identity.ts';
export { type Exchange, type Fetch, type Limits, type Listener, type ListenOptions, listen } from './listen.ts';
export { memoryStorage } from './memory-storage.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { type OpenRegistry, type OpenRegistryOptions, openRegistry } from './open-registry.ts';
export type { Fault, Problem } from './problem.ts';
export { createRegistry, type Registry, type RegistryOptions } from './registry.ts';
export { backupFolder, verifyFolder } from './registry-folder.ts';
export { factsOf, type RequestFacts } from './request-facts.ts';
export type { RouteName } from './routes.ts';
export type {
  ByteRange,
  ListOptions,
  Metadata,
  ObjectInfo,
  PutOptions,
  Staged,
  StageOptions,
  Storage,
  StoredObject,
} from './storage.ts';
export type { SweepOptions, Swept } from './sweep.ts';
export { createToken, readTokens, type TokenRecord, tokenFileIdentity, writeTokens } from './token-file.ts';
export { addToken, listTokens, revokeExpired, revokeTokens, type TokenInfo } from './tokens.ts';
export type { Verified, VerifyOptions } from './verify-registry.ts';
