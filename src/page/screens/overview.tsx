import { usePage } from "../state/page.ts";
import { useTop, valueName, valueOf } from "../state/questions.ts";
import { Answer, Notes } from "../parts/notice.tsx";
import { Ranked } from "../parts/ranked.tsx";
import { Figures } from "./figures.tsx";
import { Throughput } from "./throughput.tsx";

const SHOWN = 8;

const LISTS: readonly { by: string; title: string; hint: string }[] = [
  { by: "domain", title: "Names", hint: "of the servers, where they are known" },
  { by: "client", title: "Clients", hint: "who opened the connections" },
  { by: "server", title: "Servers", hint: "who was called" },
  { by: "server_port", title: "Services", hint: "by port of the server" },
  { by: "protocol", title: "Protocols", hint: "TCP, UDP and others" },
  { by: "interface", title: "Interfaces", hint: "where it was seen" },
];

/** How much, of what, between whom. */
export function Overview() {
  const { range } = usePage().place;
  return (
    <>
      <h1 class="unseen">Overview</h1>
      {range.kind === "live" && <Figures />}
      <Throughput />
      <div class="cards">
        {LISTS.map((list) => (
          <TopList key={list.by} {...list} />
        ))}
      </div>
    </>
  );
}

function TopList({ by, title, hint }: { by: string; title: string; hint: string }) {
  const asked = useTop(by, SHOWN);
  return (
    <section class="card" aria-label={title}>
      <h2>
        {title} <span class="muted hint">{hint}</span>
      </h2>
      <Answer asked={asked}>
        {(answer) => (
          <>
            <Ranked
              total={answer.total.bytes}
              items={answer.groups.map((group) => {
                const value = valueOf(group, by);
                return { key: by, value, name: valueName(by, value), bytes: group.bytes };
              })}
            />
            {answer.group_count > answer.groups.length && (
              <p class="more muted">and {answer.group_count - answer.groups.length} more</p>
            )}
            <Notes notes={answer.notes} />
          </>
        )}
      </Answer>
    </section>
  );
}
