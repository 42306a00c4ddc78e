import { expect, it } from 'vitest';
import { isImmutable, summaryFromWire, wireSummary } from '../../src/model/summary.ts';

const start = '2024-05-06T07:08:09.123Z';

it.each([
  ['finished', { upload_finish: start }, true],
  ['finished and approved', { upload_finish: start, on_probation: false }, true],
  ['finished on probation', { upload_finish: start, on_probation: true }, false],
  ['in progress', { on_probation: false }, false],
])('says of a version that is %s whether it can still change', (_state, more, immutable) => {
  const summary = summaryFromWire(wireSummary.parse({ upload_user_id: 'me', upload_start: start, ...more }));
  expect(isImmutable(summary)).toBe(immutable);
});

it.each(['2024-05-06T07:08:09Z', '2024-05-06T09:08:09.000000+02:00', '2024-05-06T07:08:09.000000Z'])(
  'reads the date %s',
  (text) => {
    const { uploadStart } = summaryFromWire(wireSummary.parse({ upload_user_id: 'me', upload_start: text }));
    expect(uploadStart.toISOString()).toBe('2024-05-06T07:08:09.000Z');
  },
);

it.each([
  ['no dates', { upload_user_id: 'me' }],
  ['a date that is none', { upload_user_id: 'me', upload_start: 'yesterday' }],
  ['an empty date of its end', { upload_user_id: 'me', upload_start: start, upload_finish: '' }],
  ['a null date of its end', { upload_user_id: 'me', upload_start: start, upload_finish: null }],
  ['a probation that is text', { upload_user_id: 'me', upload_start: start, on_probation: 'false' }],
  ['no user', { upload_start: start }],
  ['nothing', null],
])('refuses a summary with %s', (_what, value) => {
  expect(wireSummary.safeParse(value).success).toBe(false);
});
