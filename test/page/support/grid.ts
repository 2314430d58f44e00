/** The long table of connections: what of it is in the page, and what the API says should be. */
import type { Locator, Page } from "playwright-core";
import type { RunningAgent } from "../../lab/support/agent.ts";
import type { ConnectionAnswer, LiveAnswer } from "../../../src/page/data/answers.ts";
import { formatBytes, formatCount, formatMs, formatRate } from "../../../src/page/text/format.ts";
import { endpointText, serviceName } from "../../../src/page/text/services.ts";
import { stateWord } from "../../../src/page/text/words.ts";
import { oneLine } from "./shown.ts";

/** A row by its place in the whole table, from 0 up; without its age, which does not stand still. */
export interface GridRow {
  index: number;
  cells: string[];
}

interface RowElement {
  getAttribute(name: string): string | null;
  children: Iterable<{ innerText: string }>;
}

export function connectionGrid(page: Page): Locator {
  return page.getByRole("grid", { name: "Live connections" });
}

/** All rows that are in the page, those that are not filled yet too. */
export async function gridRows(page: Page): Promise<GridRow[]> {
  const rows = connectionGrid(page).locator("tbody").getByRole("row");
  const found = await rows.evaluateAll((all: readonly unknown[]) =>
    (all as RowElement[]).map((row) => ({
      rowIndex: Number(row.getAttribute("aria-rowindex")),
      cells: [...row.children].map((cell) => cell.innerText),
    })),
  );
  // Row 1 is the head.
  return found.map(({ rowIndex, cells }) => ({
    index: rowIndex - 2,
    cells: cells.slice(0, -1).map(oneLine),
  }));
}

function cellsOf(connection: ConnectionAnswer): string[] {
  const { client_ip, client_port, server_ip, server_port, protocol, domain, state, stats } = connection;
  return [
    endpointText(client_ip, client_port, protocol),
    domain === null ? server_ip : `${domain} ${server_ip}`,
    oneLine(`${serviceName(server_port, protocol) ?? ""} ${server_port}`),
    protocol,
    connection.interface,
    stateWord(state),
    stats.bytes_per_second === 0 ? "0" : formatRate(stats.bytes_per_second, "bits"),
    formatBytes(stats.bytes_sent),
    formatBytes(stats.bytes_received),
    formatMs(stats.rtt_ms),
    formatCount(stats.retransmits_sent + stats.retransmits_received),
  ];
}

/** The rows that are to stand where `shown` are, for the parameters of /api/live. */
export async function liveRows(
  agent: RunningAgent,
  query: string,
  shown: readonly GridRow[],
): Promise<GridRow[]> {
  const offset = shown[0]?.index ?? 0;
  const path = `/api/live?${query}&offset=${offset}&limit=${Math.max(1, shown.length)}`;
  const { connections } = await agent.get<LiveAnswer>(path);
  return connections.map((connection, index) => ({ index: offset + index, cells: cellsOf(connection) }));
}
