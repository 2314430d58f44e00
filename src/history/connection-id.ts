import { HistoryQueryError } from "./errors.ts";

/** What the rows of a connection have in common: as exact as history is, which does not tell one use of a port from the next. */
export interface StoredConnection {
  conversationId: number;
  clientPort: number;
}

const MAX_PORT = 65_535;

/** `connection_id` of rows: `h<conversation>-<client's port>`. */
export function connectionId({ conversationId, clientPort }: StoredConnection): string {
  return `h${conversationId}-${clientPort}`;
}

/** What `connectionId` says. @throws HistoryQueryError for what it does not make. */
export function parseConnectionId(text: string): StoredConnection {
  const parts = /^h(\d{1,15})-(\d{1,5})$/.exec(text);
  const clientPort = Number(parts?.[2]);
  if (parts === null || clientPort > MAX_PORT) {
    throw new HistoryQueryError(
      `connection: "${text}" is not the id of a connection in history; pass connection_id as it was answered`,
    );
  }
  return { conversationId: Number(parts[1]), clientPort };
}
