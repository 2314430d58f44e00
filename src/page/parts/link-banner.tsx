import type { Link } from "../data/client.ts";
import { formatTime } from "../text/format.ts";

/** Says that the agent does not answer, or does not let this reader in. */
export function LinkBanner({ link }: { link: Link }) {
  switch (link.kind) {
    case "lost":
      return (
        <div class="banner" data-kind="lost" role="alert">
          <strong>The agent does not answer.</strong>
          <span>
            Trying again… What you see is from before <time>{formatTime(link.sinceMs)}</time>.
          </span>
        </div>
      );
    case "forbidden":
      return (
        <div class="banner" data-kind="lost" role="alert">
          <strong>This agent does not answer you.</strong>
          <span>{link.message}</span>
        </div>
      );
    case "ok":
    case "token":
      return null;
  }
}
