import { describe, expect, it } from 'vitest';
import type { Progress } from '../../src/cli/progress.ts';
import { progressLine, progressText } from '../../src/cli/progress-line.ts';

const fetching: Progress = {
  task: 'fetch',
  since: 0,
  files: { done: 1234, total: 10_000 },
  bytes: { done: 12_340_000, total: 45_600_000 },
  fraction: 12.34 / 45.6,
  rate: 8_200_000,
  left: 3.2,
};
const { rate: _rate, left: _left, ...begun } = fetching;
const linking: Progress = { ...begun, task: 'clone', bytes: { done: 0, total: 0 }, fraction: 0.1234, left: 3723 };
const { fraction: _fraction, ...unmeasured } = linking;
const scanning: Progress = { ...unmeasured, task: 'scan', files: { done: 12_345, total: 0 } };
const huge: Progress = {
  ...fetching,
  files: { done: 9_999_999, total: 10_000_000 },
  bytes: { done: 999.9e12, total: 999.9e12 },
  rate: 999.9e9,
  left: 359_999,
};
const single: Progress = { ...fetching, files: { done: 0, total: 1 }, bytes: { done: 5, total: 7 }, fraction: 5 / 7 };

const line = (progress: Progress, columns: number) => progressLine(progress, { columns, unicode: true });

describe('a line for a terminal', () => {
  it.each<[number, string]>([
    [120, 'Fetching  ████████░░░░░░░░░░░░░░░░░░░░░░   1,234/10,000 files  12.3/45.6 MB    8.2 MB/s  0:04 left'],
    [80, 'Fetching  ██░░░░░░░░░   1,234/10,000 files  12.3/45.6 MB    8.2 MB/s  0:04 left'],
    [60, 'Fetching  ██░░░░░░░░░   27%   1,234/10,000 files  0:04 left'],
    [40, 'Fetching  ███░░░░░░░░░░   27%  1.2K/10K'],
    [30, 'Fetching   27%  1.2K/10K'],
    [20, '27%  1.2K/10K'],
    [6, '27%'],
    [3, ''],
  ])('of %i columns has what there is room for', (columns, text) => {
    expect(line(fetching, columns)).toBe(text);
  });

  it.each<[string, Progress, string, string, string]>([
    [
      'links',
      linking,
      'Linking  ███░░░░░░░░░░░░░░░░░░░░░░░░░░░   1,234/10,000 files  1:02:03 left',
      'Linking  █░░░░░░░░░░░░   12%  1.2K/10K',
      '12%  1.2K/10K',
    ],
    ['a scan', scanning, 'Scanning  12,345 files', 'Scanning  12,345 files', 'Scanning  12K'],
    [
      'one file',
      single,
      'Fetching  ███████████████░░░░░░  0/1 file  5/7 B    8.2 MB/s  0:04 left',
      'Fetching  █████░░░   71%  0/1  0:04 left',
      'Fetching   71%  0/1',
    ],
  ])('of %s has the parts that are known', (_name, progress, at80, at40, at20) => {
    // The bar of one file has all the room there is.
    expect(line(progress, 80).replace(/[█░]+/, '')).toBe(at80.replace(/[█░]+/, ''));
    expect(line(progress, 41).replace(/[█░]+/, '')).toBe(at40.replace(/[█░]+/, ''));
    expect(line(progress, 20)).toBe(at20);
  });

  it.each(Object.entries({ fetching, begun, linking, scanning, huge, single }))(
    'is never as wide as its terminal: %s',
    (_name, progress) => {
      for (let columns = 1; columns <= 200; columns++) {
        expect(line(progress, columns).length).toBeLessThan(columns);
        expect(line(progress, columns)).not.toMatch(/undefined|NaN/);
      }
    },
  );

  it('keeps its bar in place while numbers grow and become known', () => {
    const bar = (progress: Progress) => line(progress, 80).match(/[█░]+/)?.[0].length;
    const early = { ...begun, files: { done: 0, total: 10_000 }, bytes: { done: 0, total: 45_600_000 }, fraction: 0 };
    expect(bar(early)).toBe(bar(fetching));
  });

  it('does not say 100% before all is done', () => {
    expect(line({ ...fetching, fraction: 0.9999 }, 20)).toMatch(/^99%/);
    expect(line({ ...fetching, fraction: 1 }, 20)).toMatch(/^100%/);
  });

  it('does not guess at days', () => {
    expect(line({ ...fetching, left: 359_999 }, 120)).toMatch(/99:59:59 left$/);
    expect(line({ ...fetching, left: 360_000 }, 120)).toMatch(/MB\/s$/);
  });

  it('is ASCII where it has to be', () => {
    expect(progressLine(fetching, { columns: 80, unicode: false })).toMatch(/^Fetching {2}##\.{9} {3}1,234/);
    expect(progressLine(huge, { columns: 200, unicode: false })).toMatch(/^[ -~]+$/);
  });
});

describe('a line for a log', () => {
  it.each<[Progress, string]>([
    [fetching, 'Fetched 1,234 of 10,000 files, 12.3 of 45.6 MB'],
    [linking, 'Linked 1,234 of 10,000 files'],
    [scanning, 'Scanned 12,345 files'],
    [single, 'Fetched 0 of 1 file, 5 of 7 B'],
  ])('%# says how far it is', (progress, text) => {
    expect(progressText(progress)).toBe(text);
  });
});
