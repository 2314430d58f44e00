import { useEffect, useMemo, useState } from "preact/hooks";
import type { ConnectionAnswer, LiveAnswer } from "../data/answers.ts";
import { Icon } from "../parts/icons.tsx";
import { Failure } from "../parts/notice.tsx";
import { type Column, VirtualTable } from "../parts/virtual-table.tsx";
import type { RowWindow } from "../parts/window.ts";
import { usePage } from "../state/page.ts";
import { apiPath, type Order } from "../state/place.ts";
import { useAsk } from "../state/use-ask.ts";
import { useShortcut } from "../state/use-keys.ts";
import { useStore } from "../state/use-store.ts";
import {
  formatBytes,
  formatAge,
  formatCount,
  formatMs,
  formatRate,
  plural,
  type RateUnit,
} from "../text/format.ts";
import { pathText, stateSentence, stateWord } from "../text/words.ts";
import { endpointText } from "../text/services.ts";
import { ServerEnd, ServicePort } from "./ends.tsx";
import { pathOf } from "./story-known.ts";

const EVERY_MS = 1000;
/** Between two questions while one scrolls. */
const DISTANCE_MS = 200;
const DEFAULT_SORT = "rate";

/** Connections as they are now, brought up to date each second. */
export function LiveConnections() {
  const { place, go } = usePage();
  const [rows, setRows] = useState<RowWindow>({ offset: 0, limit: 40 });
  const [isHeld, setHeld] = useState(false);
  useShortcut("p", () => setHeld((before) => !before));
  const columns = useColumns();
  const sort = columns.find((column) => column.sort === place.sort)?.sort ?? DEFAULT_SORT;
  const path = apiPath("/api/live", { q: place.q, sort, order: place.order, ...rows });
  const { answer, failure, isOld } = useAsk<LiveAnswer>(path, {
    every: EVERY_MS,
    distanceMs: DISTANCE_MS,
    isHeld,
  });
  // A filter that leaves fewer rows may leave none where one looks.
  useEffect(() => {
    if (answer !== null && rows.offset >= answer.matched && rows.offset > 0) setRows({ ...rows, offset: 0 });
  }, [answer]);
  const onSort = (by: string, order: Order) =>
    go({ sort: by === DEFAULT_SORT ? null : by, order }, "replace");
  return (
    <div class="table-screen">
      <div class="table-head">
        <h1>
          {answer === null ? "Connections" : plural(answer.matched, "connection")}
          <span class="muted hint"> {place.q === "" ? "now" : "that match, now"}</span>
        </h1>
        <button type="button" class="button" aria-pressed={isHeld} onClick={() => setHeld(!isHeld)}>
          <Icon name={isHeld ? "play" : "pause"} />
          {isHeld ? "Go on" : "Hold still"}
        </button>
      </div>
      {failure !== null && <Failure failure={failure} />}
      {answer?.matched === 0 && !isOld && (
        <p class="empty muted">
          {place.q === ""
            ? "No connection is open. They appear here with their first packet."
            : "No connection matches the filter."}
        </p>
      )}
      <VirtualTable
        label="Live connections"
        columns={columns}
        total={answer?.matched ?? 0}
        rows={answer?.connections ?? []}
        offset={answer?.offset ?? 0}
        idOf={(row) => row.id}
        sort={sort}
        order={place.order}
        onSort={onSort}
        onOpen={(row) => go({ id: row.id })}
        openId={place.id}
        onWindow={setRows}
        isOld={failure !== null}
      />
    </div>
  );
}

function useColumns(): readonly Column<ConnectionAnswer>[] {
  const { client, settings } = usePage();
  const unit = useStore(settings.unit);
  return useMemo(() => columnsOf(unit, () => client.agentNow()), [unit, client]);
}

function columnsOf(unit: RateUnit, now: () => number): readonly Column<ConnectionAnswer>[] {
  const number = { isNumber: true } as const;
  return [
    {
      name: "client",
      label: "Client",
      sort: "client",
      hint: "Who opened the connection",
      cell: (row) => (
        <span class="address">{endpointText(row.client_ip, row.client_port, row.protocol)}</span>
      ),
    },
    {
      name: "server",
      label: "Server",
      sort: "domain",
      hint: "Who was called: the name where it is known, the address",
      cell: (row) => <ServerEnd name={row.domain} address={row.server_ip} />,
    },
    {
      name: "service",
      label: "Service",
      sort: "server_port",
      cell: (row) => <ServicePort port={row.server_port} protocol={row.protocol} />,
    },
    { name: "protocol", label: "Proto", sort: "protocol", cell: (row) => row.protocol },
    { name: "interface", label: "Interface", sort: "interface", cell: (row) => pathText(pathOf(row)) },
    {
      name: "state",
      label: "State",
      sort: "state",
      cell: (row) => (
        <span class="state" data-state={row.state} title={stateSentence(row.state)}>
          {stateWord(row.state)}
        </span>
      ),
    },
    {
      ...number,
      name: "rate",
      label: "Rate",
      sort: "rate",
      hint: "Both ways, over the last second",
      cell: (row) => rateCell(formatRate(row.stats.bytes_per_second, unit), row.stats.bytes_per_second),
    },
    {
      ...number,
      name: "sent",
      label: "Sent",
      sort: "bytes_sent",
      hint: "By the client",
      cell: (row) => formatBytes(row.stats.bytes_sent),
    },
    {
      ...number,
      name: "received",
      label: "Received",
      sort: "bytes_received",
      hint: "By the client",
      cell: (row) => formatBytes(row.stats.bytes_received),
    },
    {
      ...number,
      name: "rtt",
      label: "RTT",
      sort: "rtt",
      hint: "Round trip, from the TCP handshake",
      cell: (row) => formatMs(row.stats.rtt_ms),
    },
    {
      ...number,
      name: "retrans",
      label: "Retr.",
      sort: "retransmits",
      hint: "Segments sent again, both ways",
      cell: (row) => retransmitsCell(row.stats.retransmits_sent + row.stats.retransmits_received),
    },
    {
      ...number,
      name: "age",
      label: "Age",
      isInverted: true,
      sort: "first_seen",
      hint: "Since its first packet",
      cell: (row) => formatAge(now() - Date.parse(row.stats.first_seen)),
    },
  ];
}

const rateCell = (text: string, rate: number) => (rate === 0 ? <span class="muted">0</span> : text);

export function retransmitsCell(count: number) {
  return count === 0 ? <span class="muted">0</span> : <span class="warned">{formatCount(count)}</span>;
}
