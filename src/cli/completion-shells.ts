/** Shells whose command lines can be completed. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The hidden command that the scripts ask: what it prints is always of the version that is installed. */
export const COMPLETE_COMMAND = "__complete";
