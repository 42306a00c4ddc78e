import { z } from 'zod';

/** What a registry gives to whoever asks: they are public, whatever their names say. */
export const credentialsSchema = z.strictObject({
  /** Read-only access to the bucket behind the registry. */
  's3-api': z
    .strictObject({ endpoint: z.url(), bucket: z.string().min(1), key: z.string(), secret: z.string() })
    .optional(),
  /** The application as which people log in at GitHub. */
  'github-app': z.strictObject({ id: z.string().min(1), secret: z.string() }).optional(),
});

export type Credentials = z.infer<typeof credentialsSchema>;
