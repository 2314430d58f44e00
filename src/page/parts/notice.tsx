import type { ComponentChildren } from "preact";
import type { RequestFailure } from "../data/client.ts";
import type { Asked } from "../state/use-ask.ts";

/** Why there is nothing to be seen. */
export function Failure({ failure }: { failure: RequestFailure }) {
  // A lost agent is said once, at the head of the page.
  if (failure.kind === "gone") return null;
  const title = failure.kind === "slow" ? "No answer in time" : "The agent could not answer this";
  return (
    <div class="notice" data-mood="warn">
      <strong>{title}</strong>
      <span>{failure.message}</span>
      {failure.problems.map((problem) => (
        <span key={problem}>{problem}</span>
      ))}
    </div>
  );
}

interface AnswerProps<T> {
  asked: Asked<T>;
  children: (answer: T) => ComponentChildren;
}

/** What an answer shows; greyed while the answer to what is asked now is awaited, and why when there is none. */
export function Answer<T>({ asked, children }: AnswerProps<T>) {
  const { answer, failure, isOld } = asked;
  return (
    <div class="answer" data-old={isOld || failure !== null ? "" : undefined} aria-busy={isOld}>
      {failure !== null && <Failure failure={failure} />}
      {answer === null ? failure === null && <p class="waiting muted">Loading…</p> : children(answer)}
    </div>
  );
}

/** Sentences on where an answer is less than was asked. */
export function Notes({ notes }: { notes: readonly string[] }) {
  if (notes.length === 0) return null;
  return (
    <ul class="notes muted">
      {notes.map((note) => (
        <li key={note}>{note}</li>
      ))}
    </ul>
  );
}
