import type { InterfaceAnswer } from "../data/answers.ts";
import { formatBytes, formatCount } from "../text/format.ts";

const COLUMNS: readonly { label: string; hint: string; value: (row: InterfaceAnswer) => string }[] = [
  { label: "Packets", hint: "Seen", value: (row) => formatCount(row.packets) },
  { label: "Bytes", hint: "Seen", value: (row) => formatBytes(row.bytes) },
  {
    label: "On connections",
    hint: "Packets counted on a connection",
    value: (row) => formatCount(row.attributed_packets),
  },
  {
    label: "Table full",
    hint: "Packets counted in totals only, as the connection table was full",
    value: (row) => formatCount(row.overflow_packets),
  },
  { label: "Not IP", hint: "Packets such as ARP", value: (row) => formatCount(row.not_ip_packets) },
  {
    label: "Malformed",
    hint: "Packets with an IP header that is cut short or makes no sense",
    value: (row) => formatCount(row.malformed_packets),
  },
];

/** What was seen on each interface, each packet in one column. */
export function InterfaceTable({ interfaces }: { interfaces: readonly InterfaceAnswer[] }) {
  return (
    <section class="card" aria-label="Interfaces">
      <h2>
        Interfaces <span class="muted hint">each packet is in one class</span>
      </h2>
      <div class="table-plain" tabIndex={0} role="group" aria-label="Table of interfaces">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Interface</th>
              <th scope="col">Direction</th>
              {COLUMNS.map(({ label, hint }) => (
                <th key={label} scope="col" data-number="" title={hint}>
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {interfaces.map((row) => (
              <tr key={`${row.interface} ${row.direction}`}>
                <th scope="row">{row.interface}</th>
                <td data-label="Direction">{row.direction === "ingress" ? "in" : "out"}</td>
                {COLUMNS.map(({ label, value }) => (
                  <td key={label} data-number="" data-label={label}>
                    {value(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
