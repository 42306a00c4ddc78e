import { GypsumError } from '../../../src/errors.ts';
import type { Identity, Principal } from '../../../src/server/index.ts';

const USERS: Readonly<Record<string, Principal>> = {
  'tok-admin': user('LTLA', [], true),
  'tok-admin2': user('jkanche', [], true),
  'tok-owner': user('ProjectOwner', ['STUFF']),
  'tok-owner2': user('SecondOwner'),
  'tok-orgowner': user('OrgOwnerMember', ['owner-org']),
  'tok-uploader': user('untrusted-uploader'),
  'tok-uploader2': user('untrusted-uploader2'),
  'tok-trusted': user('trusted-uploader'),
  'tok-orguploader': user('OrgUploaderMember', ['other-org', 'upload-org']),
  'tok-expired': user('expired-uploader'),
  'tok-asset': user('asset-uploader'),
  'tok-version': user('version-uploader'),
  'tok-double': user('double-uploader'),
  'tok-nobody': user('nobody'),
  'tok-bot': user('ArtifactDB-bot'),
  'tok-noorgscope': user('NoOrgScope'),
  'tok-expiring': user('ProjectOwner'),
};

/** Knows the tokens of the recording; one of them cannot be asked about. */
export const recordedIdentity: Identity = {
  async identify(token) {
    if (token === 'tok-github500') throw new GypsumError('unauthorized', 'The identity provider failed.');
    return Object.hasOwn(USERS, token) ? USERS[token] : undefined;
  },
};

function user(id: string, organizations: readonly string[] = [], admin = false): Principal {
  return { id, organizations, admin };
}
