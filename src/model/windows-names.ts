/**
 * Says why Windows cannot hold a path, as the end of a sentence; nothing if it can. Worse than being refused, some of
 * these would be taken for other things there: `a:b` is a hidden stream of `a`, `con.txt` a device, `a.` is `a`.
 *
 * Source: Microsoft, "Naming Files, Paths, and Namespaces"
 */
export function windowsFault(path: string): string | undefined {
  for (const name of path.split('/')) {
    const [character] = FORBIDDEN.exec(name) ?? [];
    if (character !== undefined) return `has a name with ${JSON.stringify(character)}`;
    if (/[. ]$/.test(name)) return 'has a name that ends with a dot or a space';
    if (DEVICE.test(name)) return 'has a name that stands for a device';
  }
  return undefined;
}

const FORBIDDEN = /[<>:"|?*\p{Control}]/u;

const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)/i;
