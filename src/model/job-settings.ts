/**
 * The variables whose values a job keeps from where it was added: a scheduler that is started at boot knows nothing of
 * what a shell had set. The token is not among them, which is a login's to keep; nor are proxies, which may hold a password.
 */
export const JOB_SETTINGS = [
  'GYPSUM_URL',
  'GYPSUM_CACHE_DIR',
  'GYPSUM_SITE_CACHE',
  'GYPSUM_CONFIG_DIR',
  'GYPSUM_CA_FILE',
  'GYPSUM_OFFLINE',
  'GYPSUM_SHARED',
] as const;

export type JobSettings = Readonly<Partial<Record<(typeof JOB_SETTINGS)[number], string>>>;
