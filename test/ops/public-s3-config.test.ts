import { expect, it } from 'vitest';
import { createRig } from '../helpers/rig.ts';

it('how the bucket is read by S3 is what the registry gives to everybody', async () => {
  const { connect, registry } = await createRig();
  const config = { endpoint: 'https://s3.example.org', bucket: 'gypsum', key: 'public', secret: 'public too' };
  registry.inject(async () => Response.json(config), { route: 's3Credentials', times: 1 });
  const anybody = connect({ token: undefined });
  expect(await anybody.publicS3Config()).toEqual(config);
  await expect(anybody.publicS3Config()).rejects.toMatchObject({ code: 'not-found' });
  registry.inject(async () => Response.json({ ...config, bucket: 7 }), { route: 's3Credentials' });
  await expect(anybody.publicS3Config()).rejects.toMatchObject({ code: 'invalid-response' });
});
