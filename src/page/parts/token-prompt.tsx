import { useEffect, useRef, useState } from "preact/hooks";
import { usePage } from "../state/page.ts";

interface TokenPromptProps {
  wasRefused: boolean;
}

/** Asks for the token that the agent wants. */
export function TokenPrompt({ wasRefused }: TokenPromptProps) {
  const { settings, client } = usePage();
  const [token, setToken] = useState("");
  const [isRemembered, setRemembered] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const onSubmit = (event: Event) => {
    event.preventDefault();
    if (token.trim() === "") return;
    settings.keepToken(token.trim(), isRemembered);
    // Everything is asked again; a wrong token brings the prompt back.
    client.link.set({ kind: "ok" });
  };
  return (
    <dialog
      ref={dialog}
      class="dialog token"
      aria-labelledby="token-title"
      onCancel={(event) => event.preventDefault()}
    >
      <form onSubmit={onSubmit}>
        <h2 id="token-title">This agent wants a token</h2>
        <p class="muted">
          It is in the file that <code>api_token_file</code> of the agent's configuration names.
        </p>
        {wasRefused && (
          <p class="notice" data-mood="bad" role="alert">
            The agent refused that token.
          </p>
        )}
        <label class="field">
          Token
          <input
            type="password"
            name="token"
            autocomplete="current-password"
            value={token}
            required
            autofocus
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isRemembered}
            onChange={(event) => setRemembered(event.currentTarget.checked)}
          />
          Remember it in this browser
        </label>
        <div class="dialog-actions">
          <button type="submit" class="primary">
            Go on
          </button>
        </div>
      </form>
    </dialog>
  );
}
