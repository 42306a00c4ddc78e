import { errors } from 'undici';
import { describe, expect, it } from 'vitest';
import { GypsumError } from '../../src/errors.ts';
import { answerFailure, asFailure, isPassing, wasNotProcessed } from '../../src/registry/failures.ts';

const system = (code: string) => Object.assign(new Error(`${code}: it`), { code });

describe('an answer that is no success', () => {
  it.each<[number, string | undefined, string, boolean]>([
    [400, 'bad', 'refused', false],
    [401, 'no token', 'unauthorized', false],
    [403, 'user is not an owner', 'forbidden', false],
    [403, undefined, 'forbidden', false],
    [403, 'user is blocked', 'forbidden', false],
    [403, 'project asset has already been locked', 'project-locked', false],
    [403, "Project 'p' is locked by an upload.", 'project-locked', false],
    [404, 'no such file', 'not-found', false],
    [409, undefined, 'refused', false],
    [418, undefined, 'refused', false],
    [301, undefined, 'invalid-response', false],
    [304, undefined, 'invalid-response', false],
    [408, undefined, 'unavailable', true],
    [425, undefined, 'unavailable', true],
    [429, undefined, 'unavailable', true],
    [500, 'boom', 'unavailable', true],
    [502, undefined, 'unavailable', true],
    [503, undefined, 'unavailable', true],
    [504, undefined, 'unavailable', true],
    [599, undefined, 'unavailable', true],
  ])('%s %j means %s, and trying again can help: %s', (status, reason, code, passing) => {
    const error = answerFailure({ status, reason }, 'Doing it', 'http://h');
    expect(error).toMatchObject({ code, details: { status, reason, origin: 'http://h' }, hint: expect.any(String) });
    expect(error.message).toContain('Doing it failed');
    expect(error.message).toContain(reason?.replace(/\.$/, '') ?? String(status));
    expect(isPassing(error)).toBe(passing);
  });

  it('says to log in where there was no token, and to take another one where there was', () => {
    const hint = (hadToken: boolean, reason = 'no') =>
      answerFailure({ status: 401, reason }, 'Doing it', 'http://h', hadToken).hint;
    expect(hint(false)).toMatch(/^Log in with "gypsum login"/);
    expect(hint(true)).toMatch(/^Log in again .* that this registry knows/);
    // As which the public registry tells any failure to ask GitHub.
    expect(hint(true, 'failed to query GitHub for user identity: x')).toMatch(/try again later.* log in again/);
  });

  it('is told without what a terminal would obey', () => {
    expect(answerFailure({ status: 400, reason: '\u001b[2Jgone' }, 'Doing it', 'http://h').message).not.toContain(
      '\u001b',
    );
  });
});

describe('an exchange that broke', () => {
  it.each([
    system('ECONNREFUSED'),
    system('ECONNRESET'),
    system('ENOTFOUND'),
    system('EPIPE'),
    system('ERR_SSL_WRONG_VERSION_NUMBER'),
    system('ERR_TLS_CERT_ALTNAME_INVALID'),
    system('CERT_HAS_EXPIRED'),
    new errors.SocketError('other side closed'),
    new errors.HeadersTimeoutError(),
    new errors.BodyTimeoutError(),
    new errors.ConnectTimeoutError(),
    new errors.HTTPParserError('no HTTP'),
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
  ])('means that the registry is unavailable: %s', (cause) => {
    const error = asFailure(cause, 'Doing it', 'http://h');
    expect(error).toMatchObject({ code: 'unavailable', cause, hint: expect.stringContaining('http://h') });
    expect(String(error)).not.toMatch(/failed: \./);
    expect(isPassing(error)).toBe(true);
  });

  it.each([system('DEPTH_ZERO_SELF_SIGNED_CERT'), system('UNABLE_TO_VERIFY_LEAF_SIGNATURE')])(
    'for want of trust says how to give it: %s',
    (cause) => {
      const hint = expect.stringContaining('GYPSUM_CA_FILE');
      expect(asFailure(cause, 'Doing it', 'http://h')).toMatchObject({ code: 'unavailable', cause, hint });
    },
  );

  it.each([
    system('ENOSPC'),
    system('EACCES'),
    system('EMFILE'),
    new TypeError('a mistake of ours'),
    new GypsumError('wrong-content', 'x'),
    new errors.RequestAbortedError(),
    new errors.InvalidArgumentError('a mistake of ours'),
    'text',
    undefined,
  ])('is something else where it is %s', (error) => {
    expect(asFailure(error, 'Doing it', 'http://h')).toBe(error);
  });
});

it.each([
  [answerFailure({ status: 503 }, 'x', 'h'), true],
  [answerFailure({ status: 429 }, 'x', 'h'), true],
  [asFailure(system('ECONNREFUSED'), 'x', 'h'), true],
  [asFailure(system('ENOTFOUND'), 'x', 'h'), true],
  [answerFailure({ status: 500 }, 'x', 'h'), false],
  [answerFailure({ status: 504 }, 'x', 'h'), false],
  [answerFailure({ status: 400 }, 'x', 'h'), false],
  [asFailure(system('ECONNRESET'), 'x', 'h'), false],
  [asFailure(new errors.HeadersTimeoutError(), 'x', 'h'), false],
  [new GypsumError('wrong-content', 'x'), false],
])('after "%s" it is certain that nothing was done: %s', (error, certain) => {
  expect(wasNotProcessed(error)).toBe(certain);
});
