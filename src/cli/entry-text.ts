import { styleText } from 'node:util';
import { showText } from '../model/text.ts';
import type { Entry, TargetType } from '../model/tree.ts';

type Style = Parameters<typeof styleText>[0];

/** What is shown of an entry beside its name. */
interface Shown {
  readonly type: Entry['type'];
  readonly target?: string;
  readonly targetType?: TargetType;
}

/** Gives an entry as it is listed: a symlink with its text, red where it led nowhere. */
export function showEntry(name: string, { type, target, targetType }: Shown, colors: boolean): string {
  const paint = (style: Style, text: string) =>
    colors ? styleText(style, showText(text), { validateStream: false }) : showText(text);
  if (type === 'directory') return paint(['bold', 'blue'], name);
  if (target === undefined) return showText(name);
  const isBroken = targetType !== 'dir' && targetType !== 'file';
  const shown = targetType === 'dir' ? paint('blue', target) : isBroken ? paint('red', target) : showText(target);
  return `${paint(isBroken ? 'red' : 'cyan', name)} -> ${shown}`;
}

/** Gives a mode as `ls` of Unix does: `rwxr-xr-x`; nothing where none is known. */
export function showMode(mode: number | undefined): string {
  if (mode === undefined) return '';
  return [...'rwxrwxrwx'].map((letter, at) => ((mode >> (8 - at)) & 1 ? letter : '-')).join('');
}

/** Gives a time to the second, in UTC; nothing where none is known. */
export function showTime(mtime = ''): string {
  return mtime.slice(0, 'yyyy-mm-ddThh:mm:ss'.length).replace('T', ' ');
}
