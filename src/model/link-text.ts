/** Gives the text of a symlink as versions have it: Windows gives it back with backslashes, which mean slashes there and nowhere else. */
export function versionText(text: string, platform: NodeJS.Platform = process.platform): string {
  return platform === 'win32' ? text.replaceAll('\\', '/') : text;
}
