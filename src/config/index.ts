export { accessToken, type Config, configFromEnvironment, defaultCacheDir, PUBLIC_REGISTRY } from '../config.ts';
