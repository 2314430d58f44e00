/** The records of RFC 4180 text, read strictly: throws for what does not keep to it. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let at = 0;
  const field = (): string => {
    if (text[at] !== '"') {
      const end = text.slice(at).search(/[",\r\n]/);
      if (end === -1 || text[at + end] === '"') throw new Error(`no end of the field at ${at}`);
      const bare = text.slice(at, at + end);
      at += end;
      return bare;
    }
    let value = "";
    for (at++; ; at++) {
      if (at >= text.length) throw new Error("no end of a quoted field");
      if (text[at] !== '"') value += text[at];
      else if (text[at + 1] === '"') value += text[at++];
      else break;
    }
    at++;
    return value;
  };
  while (at < text.length) {
    const record = [field()];
    while (text[at] === ",") {
      at++;
      record.push(field());
    }
    if (!text.startsWith("\r\n", at)) throw new Error(`no CRLF at ${at}`);
    at += 2;
    records.push(record);
  }
  return records;
}
