import { describe, expect, test } from "bun:test";
import { type Budget, Restraint, SHED_STEPS, type ShedStep } from "../../../src/flow/restraint.ts";

const MIB = 1024 ** 2;

/** What the process uses in one second, given what is shed. */
interface Use {
  cpuPercent?: number;
  memoryMib?: number;
}
type Load = (shed: readonly ShedStep[], gaveBack: boolean) => Use;

/** An agent of the test's own time and use, under the real controller. */
class Simulation {
  seconds = 0;
  /** `7 +inspection`: shed in the seventh second; `-inspection`: back; `give`: memory given back. */
  readonly events: string[] = [];
  readonly logged: string[] = [];
  readonly restraint: Restraint;
  private shed: readonly ShedStep[] = [];
  private cpuMs = 12_345;
  private memoryMib = 0;
  private gaveBack = false;

  constructor(budget: Partial<Budget>, steps: readonly ShedStep[] = SHED_STEPS) {
    this.restraint = new Restraint({
      budget: { cpuPercent: 0, memoryBytes: 0, ...budget },
      steps,
      use: () => ({ cpuMs: this.cpuMs, residentBytes: this.memoryMib * MIB }),
      apply: (shed) => this.applied(shed),
      giveBack: () => {
        this.gaveBack = true;
        this.events.push(`${this.seconds} give`);
      },
      log: {
        warn: (message) => void this.logged.push(`warn ${message}`),
        info: (message) => void this.logged.push(`info ${message}`),
      },
      now: () => this.seconds * 1000,
    });
    this.restraint.look();
  }

  /** Lets time pass under a load, with the sweeps that the controller asked for. */
  run(seconds: number, load: Load | Use): this {
    const end = this.seconds + seconds;
    while (this.seconds < end) {
      this.seconds++;
      const use = typeof load === "function" ? load(this.shed, this.gaveBack) : load;
      this.gaveBack = false;
      this.cpuMs += (use.cpuPercent ?? 0) * 10;
      this.memoryMib = use.memoryMib ?? 0;
      const every = this.shed.includes("sweep_rate") ? 5 : 1;
      if (this.seconds % every === 0) this.restraint.look();
    }
    return this;
  }

  private applied(shed: readonly ShedStep[]): void {
    const sign = shed.length > this.shed.length ? "+" : "-";
    this.events.push(`${this.seconds} ${sign}${(sign === "+" ? shed : this.shed).at(-1)}`);
    this.shed = shed;
  }
}

describe("shedding for CPU", () => {
  const cases: [what: string, steps: readonly ShedStep[], load: Load, events: string[]][] = [
    ["nothing while use is at the budget", SHED_STEPS, () => ({ cpuPercent: 10 }), []],
    [
      "one step after the other in their order, three seconds apart, while that does not help",
      SHED_STEPS,
      () => ({ cpuPercent: 50 }),
      ["3 +raw_rows", "6 +inspection", "9 +history_detail", "12 +sweep_rate"],
    ],
    [
      "no more than is enough",
      SHED_STEPS,
      (shed) => ({ cpuPercent: shed.includes("inspection") ? 9 : 12 }),
      ["3 +raw_rows", "6 +inspection"],
    ],
    [
      "steps that do not apply are left out",
      ["history_detail", "sweep_rate"],
      () => ({ cpuPercent: 11 }),
      ["3 +history_detail", "6 +sweep_rate"],
    ],
  ];

  test.each(cases)("%s", (_what, steps, load, events) => {
    expect(new Simulation({ cpuPercent: 10 }, steps).run(60, load).events).toEqual(events);
  });

  test("a burst counts over five seconds", () => {
    const quiet = new Simulation({ cpuPercent: 10 }).run(10, { cpuPercent: 1 });
    quiet.run(1, { cpuPercent: 40 }).run(20, { cpuPercent: 1 });
    expect(quiet.events).toEqual([]);
    const busy = new Simulation({ cpuPercent: 10 }).run(10, { cpuPercent: 1 });
    busy.run(1, { cpuPercent: 50 }).run(1, { cpuPercent: 1 });
    expect(busy.events).toEqual(["11 +raw_rows"]);
  });

  test("without a budget nothing is ever shed", () => {
    const simulation = new Simulation({}).run(100, { cpuPercent: 6400, memoryMib: 1_000_000 });
    expect(simulation.events).toEqual([]);
    expect(simulation.restraint.state()).toMatchObject({ cpuPercent: 6400, shed: [], stepsTaken: 0 });
  });
});

describe("coming back", () => {
  /** Two steps are shed by 6 s. */
  const shedTwo = () =>
    new Simulation({ cpuPercent: 10 }).run(6, (shed) => ({
      cpuPercent: shed.includes("inspection") ? 1 : 30,
    }));

  test("one step at a time, the last one first, each after ten seconds below 80 %", () => {
    const simulation = shedTwo().run(60, { cpuPercent: 7.9 });
    expect(simulation.events).toEqual(["3 +raw_rows", "6 +inspection", "17 -inspection", "28 -raw_rows"]);
  });

  test("not between 80 % and the budget", () => {
    expect(shedTwo().run(600, { cpuPercent: 8.5 }).events).toHaveLength(2);
  });

  test("the ten seconds begin anew when use was above 80 % between them", () => {
    const simulation = shedTwo()
      .run(6, { cpuPercent: 1 })
      .run(1, { cpuPercent: 60 })
      .run(3, { cpuPercent: 1 });
    // 60 % for a second is 12 % of five: over the budget, so one more goes instead.
    expect(simulation.events.slice(2)).toEqual(["13 +history_detail"]);
    const calmer = shedTwo().run(6, { cpuPercent: 1 }).run(1, { cpuPercent: 40 }).run(20, { cpuPercent: 1 });
    // 8.8 % over the five seconds with it, until 17 s.
    expect(calmer.events.slice(2)).toEqual(["28 -inspection"]);
  });

  test("sweeps every five seconds are looked at as well", () => {
    const simulation = new Simulation({ cpuPercent: 10 }, ["sweep_rate"]).run(3, { cpuPercent: 50 });
    simulation.run(60, { cpuPercent: 1 });
    expect(simulation.events).toEqual(["3 +sweep_rate", "15 -sweep_rate"]);
  });

  /** Over the budget whenever raw rows are not shed. */
  const relapsing: Load = (shed) => ({ cpuPercent: shed.includes("raw_rows") ? 1 : 50 });
  const waits = (events: readonly string[]) => {
    const seconds = events.map((event) => Number(event.split(" ")[0]));
    return seconds.flatMap((second, index) => (index % 2 === 1 ? [second - (seconds[index - 1] ?? 0)] : []));
  };

  test("what leads over the budget again waits twice as long each time, five minutes at most", () => {
    const { events } = new Simulation({ cpuPercent: 10 }).run(1500, relapsing);
    expect(waits(events).slice(0, 7)).toEqual([11, 21, 41, 81, 161, 301, 301]);
  });

  test("ten quiet minutes make the first wait ten seconds again", () => {
    const waitAfter = (quietSeconds: number) => {
      const simulation = new Simulation({ cpuPercent: 10 }).run(60, relapsing);
      const { events } = simulation.run(quietSeconds, { cpuPercent: 1 }).run(60, relapsing);
      expect(waits(events).slice(0, 3)).toEqual([11, 21, 41]);
      return waits(events)[3];
    };
    expect([waitAfter(500), waitAfter(600)]).toEqual([41, 11]);
  });

  test("a load that comes later is no relapse", () => {
    const simulation = new Simulation({ cpuPercent: 10 }).run(14, relapsing).run(31, { cpuPercent: 1 });
    simulation.run(20, relapsing);
    expect(waits(simulation.events)).toEqual([11, 11]);
  });
});

describe("shedding for memory", () => {
  const budget = { memoryBytes: 64 * MIB };

  test("memory is given back first, and that may be enough", () => {
    let memoryMib = 70;
    const simulation = new Simulation(budget).run(30, (_shed, gaveBack) => {
      if (gaveBack) memoryMib = 60;
      return { memoryMib };
    });
    expect(simulation.events).toEqual(["3 give"]);
  });

  test("each step is tried after memory was given back since the last one", () => {
    const simulation = new Simulation(budget, ["inspection", "sweep_rate"]).run(11, { memoryMib: 70 });
    expect(simulation.events).toEqual(["3 give", "4 +inspection", "7 give", "8 +sweep_rate"]);
  });

  test("memory over its budget again soon after it was given back is shed for", () => {
    const simulation = new Simulation(budget).run(3, { memoryMib: 70 }).run(5, { memoryMib: 60 });
    simulation.run(1, { memoryMib: 70 });
    expect(simulation.events).toEqual(["3 give", "9 +raw_rows"]);
  });

  test("comes back, with memory given back while it is still above 80 %", () => {
    const simulation = new Simulation(budget, ["inspection"]).run(4, { memoryMib: 70 });
    let memoryMib = 55;
    simulation.run(40, (_shed, gaveBack) => {
      if (gaveBack) memoryMib = 50;
      return { memoryMib };
    });
    expect(simulation.events).toEqual(["3 give", "4 +inspection", "5 give", "16 -inspection"]);
  });

  test("when nothing is left to shed memory is given back now and then", () => {
    const simulation = new Simulation(budget, ["inspection"]).run(100, { memoryMib: 70 });
    expect(simulation.events).toEqual(["3 give", "4 +inspection", "7 give", "37 give", "67 give", "97 give"]);
  });

  test("what was shed for CPU comes back though memory is above 80 % of its budget", () => {
    const simulation = new Simulation({ ...budget, cpuPercent: 10 }).run(3, {
      cpuPercent: 30,
      memoryMib: 60,
    });
    simulation.run(20, { cpuPercent: 1, memoryMib: 60 });
    expect(simulation.events).toEqual(["3 +raw_rows", "14 -raw_rows"]);
  });
});

describe("what is said", () => {
  test("in health: the use, the budget and all that is shed", () => {
    const { restraint } = new Simulation({ cpuPercent: 10 }).run(6, { cpuPercent: 12.34 });
    expect(restraint.reasons()).toEqual(["keeping to the CPU budget: raw rows and inspection are shed"]);
  });

  const sentences: [budget: Partial<Budget>, steps: ShedStep[], use: Use, seconds: number, reason: string][] =
    [
      [
        { cpuPercent: 10 },
        [...SHED_STEPS],
        { cpuPercent: 12.34 },
        5,
        "using 12.3% of a core, its budget is 10%: raw rows are shed",
      ],
      [
        { cpuPercent: 2.5 },
        ["inspection", "sweep_rate"],
        { cpuPercent: 20 },
        10,
        "using 20% of a core, its budget is 2.5%: inspection and sweep rate are shed, and nothing is left to shed",
      ],
      [
        { memoryBytes: 64 * MIB },
        ["inspection", "history_detail", "sweep_rate"],
        { memoryMib: 70.25 },
        6,
        "using 70.3 MiB of memory, its budget is 64 MiB: inspection is shed",
      ],
      [
        { memoryBytes: 64 * MIB, cpuPercent: 10 },
        ["history_detail", "sweep_rate"],
        { memoryMib: 70, cpuPercent: 20 },
        5,
        "using 20% of a core, its budget is 10% and using 70 MiB of memory, its budget is 64 MiB: history detail is shed",
      ],
    ];

  test.each(sentences)("%p %p %p", (budget, steps, use, seconds, reason) => {
    expect(new Simulation(budget, steps).run(seconds, use).restraint.reasons()).toEqual([reason]);
  });

  test("nothing while nothing is shed", () => {
    expect(new Simulation({ cpuPercent: 10 }).run(2, { cpuPercent: 90 }).restraint.reasons()).toEqual([]);
  });

  test("in the log: a warning at each step, a note when it comes back", () => {
    const simulation = new Simulation({ cpuPercent: 10 })
      .run(3, { cpuPercent: 25 })
      .run(11, { cpuPercent: 2 });
    expect(simulation.logged).toEqual([
      "warn using 25% of a core, its budget is 10%: raw rows are shed",
      "info using 2% of a core, its budget is 10%: raw rows are back",
    ]);
  });

  test("in figures: use, budgets, what is shed and how often something was", () => {
    const simulation = new Simulation({ cpuPercent: 10, memoryBytes: 64 * MIB });
    simulation.run(6, { cpuPercent: 25, memoryMib: 48 }).run(1, { cpuPercent: 3, memoryMib: 32 });
    expect(simulation.restraint.state()).toEqual({
      cpuPercent: 3,
      cpuBudgetPercent: 10,
      residentBytes: 32 * MIB,
      memoryBudgetBytes: 64 * MIB,
      shed: ["raw_rows", "inspection"],
      stepsTaken: 2,
    });
    expect([simulation.restraint.ratio("cpu"), simulation.restraint.ratio("memory")]).toEqual([0.3, 0.5]);
  });
});
