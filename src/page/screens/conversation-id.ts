import type { GroupKey } from "../data/answers.ts";

const MARK = "c:";

/** The id of a conversation in the URL: what it was grouped by. */
export function conversationId(key: GroupKey): string {
  return MARK + JSON.stringify(key);
}

/** What a conversation was grouped by; null for the id of a connection, or nonsense. */
export function parseConversationId(id: string): GroupKey | null {
  if (!id.startsWith(MARK)) return null;
  try {
    const key: unknown = JSON.parse(id.slice(MARK.length));
    if (typeof key !== "object" || key === null || Array.isArray(key)) return null;
    const values = Object.values(key);
    return values.every((value) => value === null || ["string", "number"].includes(typeof value))
      ? (key as GroupKey)
      : null;
  } catch {
    return null;
  }
}
