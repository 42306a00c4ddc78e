/** Reads JSON; nothing if it is not, for texts that may be lost without harm. */
export function parseJsonIfAny(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
