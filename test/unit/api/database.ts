import { Database } from "bun:sqlite";
import type { HistoryView } from "../../../src/api/types.ts";
import type { Naming } from "../../../src/flow/naming.ts";
import type { Identity } from "../../../src/history/types.ts";
import { createHistoryReader } from "../../../src/history/query.ts";
import { createQuestions } from "../../../src/history/questions.ts";
import { SqlConnection } from "../../../src/history/connection.ts";
import { RollupReader } from "../../../src/history/rollup-reader.ts";
import { append, connection, named, open, row, temporaryFolder } from "../history/fixture.ts";
import { NOW_MS, startTestApi, type TestApi } from "./fixture.ts";

/** Rows in the database, ten seconds apart, the newest just before NOW_MS. */
export const ROWS = 1500;
const WINDOW_MS = 10_000;

/** What of each row differs, by its number. */
const NAMES: readonly (string | null)[] = [
  "www.example.org",
  "api.example.org",
  null,
  'comma, "quote".example',
  "<img src=x onerror=alert(1)>.example",
];

function identityOf(index: number): Identity {
  const name = NAMES[index % NAMES.length] ?? null;
  const naming: Partial<Naming> = { alpn: ["h2", "http/1.1"], tlsVersion: "TLS 1.3", ech: index % 2 === 0 };
  return connection(index % 40, {
    protocol: index % 3 === 0 ? 17 : 6,
    serverPort: index % 4 === 0 ? 53 : 443,
    ...(name === null ? {} : { naming: named(name, naming) }),
  });
}

export interface DatabaseApi extends TestApi {
  /** The same file, to ask in SQL. */
  sql: Database;
  /** Folds what can be folded by now. */
  fold(): Promise<void>;
}

/** A listening API over a real database file of ROWS rows; all of it goes with the stack. */
export async function startDatabaseApi(stack: AsyncDisposableStack): Promise<DatabaseApi> {
  const folder = temporaryFolder(stack);
  const history = open(stack, folder, { now: () => NOW_MS });
  for (let index = 0; index < ROWS; index++) {
    append(
      history,
      row(identityOf(index), {
        timestampMs: NOW_MS - (ROWS - index) * WINDOW_MS,
        packetsSent: 1 + (index % 5),
        bytesSent: 60 + index,
        packetsReceived: index % 7,
        bytesReceived: index * 100,
        retransmits: index % 11 === 0 ? 1 : 0,
        rttNs: index % 2 === 0 ? 1_000_000 + index : null,
        direction: index % 2 === 0 ? "egress" : "ingress",
      }),
    );
  }
  await history.writer.flush(10_000);
  const path = `${folder}/traffic.db`;
  const reader = createHistoryReader(path);
  const questions = createQuestions(path);
  const connectionOfLevels = new SqlConnection(new Database(path, { readonly: true }));
  const levels = new RollupReader(connectionOfLevels);
  const sql = new Database(path, { readonly: true });
  stack.defer(() => {
    reader.close();
    questions.close();
    connectionOfLevels.close();
    sql.close();
  });
  const view: HistoryView = {
    query: (query) => reader.query(query),
    domains: (query) => reader.domains(query),
    ask: (question) => questions.ask(question),
    coverage: () => levels.coverage(),
    status: () => history.status(),
  };
  const api = await startTestApi({}, { history: view });
  stack.defer(() => api.stop());
  const fold = async () => {
    history.folding.start();
    await history.folding.settled();
  };
  return { ...api, sql, fold };
}
