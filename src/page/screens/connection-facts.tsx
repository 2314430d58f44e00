import type { ConnectionAnswer, HistoryItem } from "../data/answers.ts";
import { Fact } from "../parts/drawer.tsx";
import { WireText } from "../parts/text.tsx";
import { usePage } from "../state/page.ts";
import { useStore } from "../state/use-store.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMoment,
  formatMs,
  formatRate,
  plural,
} from "../text/format.ts";
import { pathText, sourceSentence, stateSentence, stateWord } from "../text/words.ts";
import type { Known } from "./story-known.ts";

interface FactsProps {
  known: Known;
  connection: ConnectionAnswer | null;
  items: readonly HistoryItem[];
  /** History has older rows of it besides. */
  hasMore: boolean;
}

/** What is known of a connection, in words. */
export function ConnectionFacts({ known, connection, items, hasMore }: FactsProps) {
  return (
    <>
      <p class="how-named">
        {known.domain === null ? (
          <>
            No name is known for the server. With deep inspection the agent reads names from handshakes and
            DNS.
          </>
        ) : (
          known.domainSource !== null && sourceSentence(known.domainSource)
        )}
        {known.ech &&
          " Encrypted Client Hello was offered: this may be the name of the provider in front of the server."}
      </p>
      <dl class="facts">
        {connection === null ? (
          <StoredFacts items={items} hasMore={hasMore} />
        ) : (
          <LiveFacts connection={connection} />
        )}
        <Fact term="Protocol">
          {known.protocol} on {pathText(known.interface)}
        </Fact>
        {known.tlsVersion !== null && <Fact term="Encryption">{known.tlsVersion}</Fact>}
        {known.alpn.length > 0 && (
          <Fact term="Offers (ALPN)">
            <WireText text={known.alpn.join(", ")} />
          </Fact>
        )}
        {known.ja4 !== null && (
          <Fact term="Fingerprint (JA4)">
            <code>
              <WireText text={known.ja4} />
            </code>
          </Fact>
        )}
      </dl>
      {connection !== null && <RoundTrip connection={connection} />}
    </>
  );
}

function LiveFacts({ connection }: { connection: ConnectionAnswer }) {
  const { client, settings } = usePage();
  const unit = useStore(settings.unit);
  const { stats } = connection;
  const now = client.agentNow();
  const first = Date.parse(stats.first_seen);
  const last = Date.parse(stats.last_seen);
  const again = stats.retransmits_sent + stats.retransmits_received;
  const disordered = stats.out_of_order_sent + stats.out_of_order_received;
  return (
    <>
      <Fact term="State">
        {stateWord(connection.state)} <span class="muted">{stateSentence(connection.state)}</span>
      </Fact>
      <Fact term="First seen">
        {formatMoment(first, now)} <span class="muted">{formatDuration(now - first)} ago</span>
      </Fact>
      <Fact term="Last packet">
        {formatMoment(last, now)} <span class="muted">{formatDuration(now - last)} ago</span>
      </Fact>
      <Fact term="Rate">{formatRate(stats.bytes_per_second, unit)}</Fact>
      <Fact term="Client sent">
        {formatBytes(stats.bytes_sent)} <span class="muted">{plural(stats.packets_sent, "packet")}</span>
      </Fact>
      <Fact term="Client received">
        {formatBytes(stats.bytes_received)}{" "}
        <span class="muted">{plural(stats.packets_received, "packet")}</span>
      </Fact>
      {connection.protocol === "TCP" && (
        <Fact term="Sent again">
          {plural(again, "segment")}
          {again > 0 && (
            <span class="muted">
              {" "}
              {formatCount(stats.retransmits_sent)} by the client, {formatCount(stats.retransmits_received)}{" "}
              by the server
            </span>
          )}
          {disordered > 0 && <span class="muted">, {formatCount(disordered)} out of order</span>}
        </Fact>
      )}
    </>
  );
}

/** Sums over what history has of it. */
function StoredFacts({ items, hasMore }: Pick<FactsProps, "items" | "hasMore">) {
  const now = usePage().client.agentNow();
  const newest = items[0];
  const oldest = items.at(-1);
  if (newest === undefined || oldest === undefined) return null;
  const sum = (pick: (item: HistoryItem) => number) => items.reduce((total, item) => total + pick(item), 0);
  const rtt = items.find((item) => item.rtt_ms !== null)?.rtt_ms ?? null;
  return (
    <>
      {hasMore && (
        <Fact term="Shown">
          the newest {plural(items.length, "row")} <span class="muted">older ones are not in these sums</span>
        </Fact>
      )}
      <Fact term={hasMore ? "Oldest shown" : "First row"}>{formatMoment(oldest.timestamp, now)}</Fact>
      <Fact term="Last row">{formatMoment(newest.timestamp, now)}</Fact>
      <Fact term="Client sent">
        {formatBytes(sum((item) => item.bytes_sent))}{" "}
        <span class="muted">
          {plural(
            sum((item) => item.packets_sent),
            "packet",
          )}
        </span>
      </Fact>
      <Fact term="Client received">
        {formatBytes(sum((item) => item.bytes_received))}{" "}
        <span class="muted">
          {plural(
            sum((item) => item.packets_received),
            "packet",
          )}
        </span>
      </Fact>
      {rtt !== null && <Fact term="Round trip">{formatMs(rtt)}</Fact>}
      <Fact term="Sent again">
        {plural(
          sum((item) => item.retransmits),
          "segment",
        )}
      </Fact>
    </>
  );
}

/** The round trip of the handshake, and which side of this host its time was spent on. */
function RoundTrip({ connection }: { connection: ConnectionAnswer }) {
  const { rtt_ms, rtt_client_ms, rtt_server_ms } = connection.stats;
  if (rtt_ms === null) return null;
  const both = (rtt_client_ms ?? 0) + (rtt_server_ms ?? 0);
  const isSplit = rtt_client_ms !== null && rtt_server_ms !== null && both > 0;
  return (
    <section class="round-trip">
      <h3>Round trip {formatMs(rtt_ms)}</h3>
      {isSplit && (
        <>
          <div class="split-bar" aria-hidden="true">
            <span style={{ width: `${(rtt_client_ms / both) * 100}%` }} />
            <span style={{ width: `${(rtt_server_ms / both) * 100}%` }} />
          </div>
          <p class="split-words">
            <span>
              {formatMs(rtt_client_ms)} <span class="muted">from here to the client</span>
            </span>
            <span>
              {formatMs(rtt_server_ms)} <span class="muted">from here to the server</span>
            </span>
          </p>
        </>
      )}
    </section>
  );
}
