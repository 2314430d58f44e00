import { useMemo, useState } from "preact/hooks";
import type { GroupAnswer } from "../data/answers.ts";
import { Failure, Notes } from "../parts/notice.tsx";
import { type Column, VirtualTable } from "../parts/virtual-table.tsx";
import { usePage } from "../state/page.ts";
import type { Order } from "../state/place.ts";
import { useTop } from "../state/questions.ts";
import { formatBytes, formatCount, formatMs, formatShare, plural } from "../text/format.ts";
import { pathText } from "../text/words.ts";
import { ServerEnd, ServicePort } from "./ends.tsx";
import { retransmitsCell } from "./live-connections.tsx";
import { conversationId } from "./conversation-id.ts";

const KEYS = "client,server,server_port,protocol,interface,domain";
const SHOWN = 500;
const ORDERS = ["bytes", "packets", "bytes_sent", "bytes_received", "retransmits"] as const;

const text = (value: string | number | null | undefined): string => String(value ?? "");

/** Who talked to whom in a time of the past, out of history. */
export function PastConnections() {
  const { place, go } = usePage();
  const [, setRows] = useState({ offset: 0, limit: 40 });
  const sort = ORDERS.find((order) => order === place.sort) ?? "bytes";
  const { answer, failure, isOld } = useTop(KEYS, SHOWN, sort);
  const total = answer?.total.bytes ?? 0;
  const columns = useMemo(() => columnsOf(total), [total]);
  const groups = answer?.groups ?? [];
  const rows = place.order === "asc" ? groups.toReversed() : groups;
  const onSort = (by: string, order: Order) => go({ sort: by === "bytes" ? null : by, order }, "replace");
  return (
    <div class="table-screen">
      <div class="table-head">
        <h1>
          {answer === null ? "Conversations" : plural(answer.group_count, "conversation")}
          <span class="muted hint">
            {answer !== null && answer.group_count > groups.length
              ? ` the ${groups.length} largest are listed`
              : " client, server and service, from history"}
          </span>
        </h1>
      </div>
      {failure !== null && <Failure failure={failure} />}
      {answer !== null && groups.length === 0 && !isOld && (
        <p class="empty muted">Nothing in this time{place.q === "" ? "." : " matches the filter."}</p>
      )}
      <VirtualTable
        label="Conversations in the past"
        columns={columns}
        total={rows.length}
        rows={rows}
        offset={0}
        idOf={(row) => conversationId(row.key)}
        sort={sort}
        order={place.order}
        onSort={onSort}
        onOpen={(row) => go({ id: conversationId(row.key) })}
        openId={place.id}
        onWindow={setRows}
        isOld={isOld || failure !== null}
      />
      <Notes notes={answer?.notes ?? []} />
    </div>
  );
}

function columnsOf(total: number): readonly Column<GroupAnswer>[] {
  const number = { isNumber: true } as const;
  return [
    {
      name: "client",
      label: "Client",
      cell: ({ key }) => <span class="address">{text(key["client"])}</span>,
    },
    {
      name: "server",
      label: "Server",
      cell: ({ key }) => (
        <ServerEnd name={key["domain"] === null ? null : text(key["domain"])} address={text(key["server"])} />
      ),
    },
    {
      name: "service",
      label: "Service",
      cell: ({ key }) => <ServicePort port={Number(key["server_port"])} protocol={text(key["protocol"])} />,
    },
    { name: "protocol", label: "Proto", cell: ({ key }) => text(key["protocol"]) },
    { name: "interface", label: "Interface", cell: ({ key }) => pathText(text(key["interface"])) },
    {
      ...number,
      name: "share",
      label: "Share",
      cell: (row) => formatShare(total === 0 ? 0 : row.bytes / total),
    },
    { ...number, name: "total", label: "Total", sort: "bytes", cell: (row) => formatBytes(row.bytes) },
    {
      ...number,
      name: "sent",
      label: "Sent",
      sort: "bytes_sent",
      cell: (row) => formatBytes(row.bytes_sent),
    },
    {
      ...number,
      name: "received",
      label: "Received",
      sort: "bytes_received",
      cell: (row) => formatBytes(row.bytes_received),
    },
    {
      ...number,
      name: "packets",
      label: "Packets",
      sort: "packets",
      cell: (row) => formatCount(row.packets),
    },
    { ...number, name: "rtt", label: "RTT", cell: (row) => formatMs(row.rtt_ms) },
    {
      ...number,
      name: "retrans",
      label: "Retr.",
      sort: "retransmits",
      cell: (row) => retransmitsCell(row.retransmits),
    },
  ];
}
