import type { ConnectionAnswer, StoryAnswer } from "../data/answers.ts";
import { Drawer } from "../parts/drawer.tsx";
import { Answer } from "../parts/notice.tsx";
import { NameText, WireText } from "../parts/text.tsx";
import { apiPath } from "../state/place.ts";
import { useAsk } from "../state/use-ask.ts";
import { endpointText } from "../text/services.ts";
import { ConnectionFacts } from "./connection-facts.tsx";
import { Conversation } from "./conversation.tsx";
import { parseConversationId } from "./conversation-id.ts";
import { StoryHistory } from "./story-history.tsx";
import { StoryLookups } from "./story-lookups.tsx";
import { type Known, knownOfItem, knownOfLive } from "./story-known.ts";

const LIVE_EVERY_MS = 2000;
const PAST_EVERY_MS = 30_000;

/** The story of what the URL names: one connection, or a conversation in the past. */
export function Story({ id }: { id: string }) {
  const key = parseConversationId(id);
  return key === null ? <ConnectionStory id={id} /> : <Conversation conversation={key} />;
}

function ConnectionStory({ id }: { id: string }) {
  const path = apiPath(`/api/connections/${encodeURIComponent(id)}`, {});
  const asked = useAsk<StoryAnswer>(path, {
    every: (answer) => (answer.live ? LIVE_EVERY_MS : PAST_EVERY_MS),
  });
  const known = asked.answer === null ? null : knownOf(asked.answer);
  return (
    <Drawer title={known === null ? "Connection" : <StoryTitle known={known} />}>
      {asked.failure?.code === "not_found" && asked.answer === null ? (
        <p class="empty">
          This connection is no longer in the agent's memory, and nothing of it is in history under this
          address. Look for it in the time when it was there.
        </p>
      ) : (
        <Answer asked={asked}>
          {(answer) =>
            known === null ? (
              <p class="empty">Nothing is known of it any more.</p>
            ) : (
              <Whole answer={answer} known={known} />
            )
          }
        </Answer>
      )}
    </Drawer>
  );
}

function knownOf({ connection, history }: StoryAnswer): Known | null {
  if (connection !== null) return knownOfLive(connection);
  const [newest] = history.items;
  return newest === undefined ? null : knownOfItem(newest);
}

function StoryTitle({ known }: { known: Known }) {
  return known.domain === null ? (
    <span class="address">{known.server}</span>
  ) : (
    <WireText text={known.domain} />
  );
}

function Whole({ answer, known }: { answer: StoryAnswer; known: Known }) {
  return (
    <>
      <Ends known={known} connection={answer.connection} isLive={answer.live} />
      <ConnectionFacts
        known={known}
        connection={answer.connection}
        items={answer.history.items}
        hasMore={answer.history.has_more}
      />
      <StoryHistory items={answer.history.items} />
      <StoryLookups lookups={answer.lookups} name={known.domain} />
    </>
  );
}

interface EndsProps {
  known: Known;
  connection: ConnectionAnswer | null;
  isLive: boolean;
}

/** Who called whom. */
function Ends({ known, isLive }: EndsProps) {
  const { protocol } = known;
  return (
    <div class="ends">
      <div class="end">
        <span class="muted">Client</span>
        <span class="address">{endpointText(known.client, known.clientPort, protocol)}</span>
      </div>
      <span class="ends-arrow" aria-hidden="true">
        →
      </span>
      <div class="end">
        <span class="muted">Server</span>
        <span class="address">{endpointText(known.server, known.serverPort, protocol)}</span>
        <NameText name={known.domain} />
      </div>
      <span class="badge" data-live={isLive ? "" : undefined}>
        {isLive ? "live" : "ended"}
      </span>
    </div>
  );
}
