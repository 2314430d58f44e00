import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import licensesPath from "../../dist/assets/licenses.gz" with { type: "file" };
import { type CommandIo, isBrokenPipe } from "./command-io.ts";

/**
 * `ayaflow version --licenses`: prints what is inside the executable besides the agent, with names, versions, licences
 * and their full texts. Gives the exit code.
 */
export async function printLicenses(io: CommandIo): Promise<number> {
  try {
    io.out(gunzipSync(readFileSync(licensesPath)));
    await io.flush();
  } catch (error) {
    if (!isBrokenPipe(error)) throw error;
  }
  return 0;
}
