import { Box, render, Text, useApp, useInput, useStdout } from "ink";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { EXIT_FAILURE } from "../errors.ts";
import { JobControl } from "./job-control.ts";
import { createPaint, type Paint } from "./paint.ts";
import { isStopKey, pressesOf } from "./presses.ts";
import { screenLines } from "./screen.ts";
import type { Session } from "./session.ts";
import { type Line, paintLine } from "./spans.ts";
import { guardTerminal } from "./terminal.ts";

/** A key is seen at once, and a frame takes no longer than a slow line has for it. */
const FRAMES_PER_SECOND = 20;

function Row({ line, paint }: { line: Line; paint: Paint }) {
  return <Text wrap="truncate">{paintLine(line, paint)}</Text>;
}

/** The screen of a session, and its keys. `onEnd` gets the exit code. */
function Screen({ session, onEnd }: { session: Session; onEnd: (exitCode: number) => void }) {
  const state = useSyncExternalStore(session.subscribe, session.state);
  const { stdout } = useStdout();
  const { suspendTerminal } = useApp();
  const job = useMemo(() => new JobControl(suspendTerminal), [suspendTerminal]);
  useInput((input, key) => {
    const presses = pressesOf(input, key);
    session.press(presses);
    if (presses.some(isStopKey)) job.stop();
  });
  useEffect(job.listen, [job]);
  useEffect(() => {
    const resize = () => session.resize({ columns: process.stdout.columns, rows: process.stdout.rows });
    stdout.on("resize", resize);
    // It may have changed since the start.
    resize();
    return () => void stdout.off("resize", resize);
  }, [session, stdout]);
  useEffect(() => {
    if (state.ended !== null) onEnd(state.ended);
  }, [state.ended, onEnd]);
  const paint = createPaint(state.looks.color);
  return (
    <Box flexDirection="column" width={state.size.columns} height={state.size.rows}>
      {screenLines(state, Date.now()).map((line, index) => (
        // A line is what stands at its place on the screen.
        <Row key={`line ${index}`} line={line} paint={paint} />
      ))}
    </Box>
  );
}

/** Shows a session on the whole terminal until it is quit, and gives the terminal back. Returns the exit code. */
export async function show(session: Session): Promise<number> {
  const terminal = guardTerminal();
  const ended = Promise.withResolvers<number>();
  const ink = render(<Screen session={session} onEnd={ended.resolve} />, {
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    patchConsole: false,
    // Its environment may look like one of continuous integration, where Ink would not draw.
    interactive: true,
    isScreenReaderEnabled: false,
    maxFps: FRAMES_PER_SECOND,
  });
  terminal.before(() => ink.unmount());
  ink.waitUntilExit().catch(ended.reject);
  // A terminal that is gone without a signal.
  process.stdin.once("end", () => ended.resolve(EXIT_FAILURE));
  try {
    return await ended.promise;
  } finally {
    terminal.restore();
  }
}
