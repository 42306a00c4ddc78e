export { type ErrorCode, GypsumError, isGypsumError } from '../errors.ts';
export type { Manifest, ManifestEntry, ManifestLink } from './manifest.ts';
export {
  type AssetRef,
  type FileRef,
  formatFileRef,
  formatRef,
  parseFileRef,
  parseRef,
  parseVersionRef,
  type Ref,
  type VersionRef,
} from './refs.ts';
