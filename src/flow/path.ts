/** Between the interfaces of a path: no interface has one in its name (Linux, dev_valid_name). */
export const PATH_SEPARATOR = "/";

/** The names of the interfaces that saw a connection, in the order in which they first did, as one text. */
export function joinPath(names: readonly string[]): string {
  return names.join(PATH_SEPARATOR);
}

export function splitPath(path: string): string[] {
  return path.split(PATH_SEPARATOR);
}

/** The first interface of a path. */
export function firstOfPath(path: string): string {
  const end = path.indexOf(PATH_SEPARATOR);
  return end === -1 ? path : path.slice(0, end);
}
