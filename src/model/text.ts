/**
 * Gives text that is safe to show in a message or on a terminal: control characters, bidirectional marks and
 * bytes that were not UTF-8 stand as escapes.
 */
export function showText(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu,
    (character) => {
      const code = character.codePointAt(0) ?? 0;
      if (code >= 0xdc80 && code <= 0xdcff) return `\\x${(code - 0xdc00).toString(16)}`;
      if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
      return `\\u${code.toString(16).padStart(4, '0')}`;
    },
  );
}
