/** Whether an argument that may be a ref or a local path is a path: it begins with `.`, `/` or `~`, or with a drive of Windows. */
export function isLocal(text: string): boolean {
  return /^(?:[./~]|[a-z]:[\\/]|\\)/i.test(text);
}
