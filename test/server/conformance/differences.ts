/**
 * Exchanges that use routes which this registry does not have yet, or that depend on what those would have done; they
 * are not sent. A prefix ends with `*`.
 */
export const LATER: readonly string[] = [
  // credentials
  'misc-s3-credentials',
  'misc-github-credentials',
  // probation
  'upload-locked-approve',
  'upload-locked-reject',
  'probation-approve*',
  'probation-reject-*',
  'probation-asset-gone-from-list',
  'quirk-duplicate-then-approve-fails',
  // refresh
  'upload-locked-refresh-*',
  'finish-extra-refresh-usage',
  'refresh-usage*',
  'refresh-latest*',
  // removal of what an unlock leaves
  'unlock-flush*',
  // remove
  'upload-locked-remove-*',
  'remove-no-auth',
  'remove-owner-*',
  'remove-version-*',
  'remove-asset*',
  'remove-project*',
  'remove-log*',
  // what a removal or a refresh would have left behind
  'quirk-flush-*',
  'quirk-fb-*',
  'quirk-late-refresh-latest',
  'quirk-stale-*',
];

/** Where this registry answers otherwise than the public one, and why. Each names an exchange that is tagged as odd. */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  ...because('a "%" that stands for no character is the request’s fault: 400, not 500', [
    'misc-file-malformed-percent',
    'names-percent-abort-as-given',
  ]),
  ...because('the prefix of a listing is decoded once, and of several the first counts', [
    'misc-list-malformed-percent',
    'create-list-prefix-double-encoded',
    'create-list-prefix-twice',
  ]),
  ...because('an error is never answered with status 200', [
    'create-bad-uploader-asset-number',
    'create-bad-uploader-version-number',
    'permissions-bad-asset',
    'start-bad-path-leading-slash',
    'start-bad-path-trailing-slash',
    'start-bad-path-double-slash',
    'start-bad-path-backslash',
  ]),
  ...because('Range and If-None-Match are honoured', ['read-get-range', 'read-get-if-none-match']),
  ...because('a key that is too long is the request’s fault: 400, not 500', ['read-key-too-long']),
  ...because('a file of the wrong size is refused when it is sent, not at completion', ['finish-sz-put0']),
  ...because('slugs are signed: only files of the manifest that are not links can be put', [
    'finish-extra-presign-unlisted',
    'finish-extra-put-unlisted',
    'quirk-forge-summary-presign',
    'quirk-forge-summary-put',
    'quirk-forge-summary-get',
    'quirk-forge-latest',
    'quirk-linked-path-presign',
    'quirk-linked-path-put',
    'quirk-ql2-complete',
    'quirk-ql2-abort',
  ]),
  ...because('names may be any Unicode, and a slug holds no slash', ['names-beyond-latin1', 'names-slash-in-slug']),
  ...because('starting a version that exists touches nothing, so that what follows finds it', [
    'quirk-duplicate-version-wiped',
    'quirk-duplicate-then-dedup',
    'quirk-duplicate-then-approve',
    'quirk-duplicate-then-complete',
  ]),
  ...because('an MD5 has 32 hexadecimal digits', ['quirk-qm5-start', 'quirk-bad-md5-presign', 'quirk-qm5-abort']),
  ...because('a link points to a file, never to what every object inherits', [
    'quirk-prototype-link',
    'quirk-prototype-link-complete',
    'quirk-prototype-link-manifest',
  ]),
  ...because('a file may be called __proto__', ['quirk-proto-path-manifest', 'quirk-proto-path-complete']),
  ...because('of a link only its four fields are kept, and its ancestor is looked up', [
    'quirk-link-extra-manifest',
    'quirk-link-extra-links',
  ]),
  ...because('an upload that has ended takes nothing more', ['quirk-late-put', 'quirk-late-listing']),
  ...because('a project is named by the same rules as its assets', ['quirk-create-dots', 'quirk-create-backslash']),
};

function because(why: string, ids: readonly string[]): Record<string, string> {
  return Object.fromEntries(ids.map((id) => [id, why]));
}
