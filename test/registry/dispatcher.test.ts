import * as tls from 'node:tls';
import { expect, it, vi } from 'vitest';
import { createDispatcher } from '../../src/registry/dispatcher.ts';
import { hasOpenssl, makeCertificate } from '../helpers/certificate.ts';

// Whom Node trusts by itself has no server on this machine to be asked: what it is told to trust is looked at instead.
vi.mock('node:tls', { spy: true });

it.runIf(hasOpenssl)('authorities that are given are trusted besides all of Node’s own', async () => {
  const { cert } = await makeCertificate();
  await createDispatcher({ ca: cert, timeout: 1 }).close();
  expect(tls.createSecureContext).toHaveBeenCalledExactlyOnceWith({
    ca: expect.arrayContaining([...tls.rootCertificates, cert.trim()]),
  });
});
