import type { RateUnit } from "../text/format.ts";
import { Store } from "./store.ts";

export type Theme = "auto" | "light" | "dark";

type Storages = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Storage of the browser; nothing is kept where it refuses. */
function storageOf(pick: () => Storages): Storages {
  try {
    return pick();
  } catch {
    return { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
  }
}

const TOKEN = "ayaflow.token";
const THEME = "ayaflow.theme";
const UNIT = "ayaflow.unit";

/** What the reader chose, kept in this browser only. */
export class Settings {
  private readonly lasting = storageOf(() => localStorage);
  private readonly passing = storageOf(() => sessionStorage);
  readonly theme = new Store<Theme>("auto");
  readonly unit = new Store<RateUnit>("bits");
  private token: string | null;

  constructor() {
    const theme = this.lasting.getItem(THEME);
    if (theme === "light" || theme === "dark") this.theme.set(theme);
    if (this.lasting.getItem(UNIT) === "bytes") this.unit.set("bytes");
    this.token = this.passing.getItem(TOKEN) ?? this.lasting.getItem(TOKEN);
    this.theme.watch(() => this.lasting.setItem(THEME, this.theme.get()));
    this.unit.watch(() => this.lasting.setItem(UNIT, this.unit.get()));
  }

  /** The token for the API; null while none was given. */
  get(): string | null {
    return this.token;
  }

  /** Keeps a token until the tab is closed, or for good. */
  keepToken(token: string, isRemembered: boolean): void {
    this.forgetToken();
    this.token = token;
    (isRemembered ? this.lasting : this.passing).setItem(TOKEN, token);
  }

  forgetToken(): void {
    this.token = null;
    this.passing.removeItem(TOKEN);
    this.lasting.removeItem(TOKEN);
  }
}
