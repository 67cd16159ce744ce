import AssayBase
import AssayHost
import CFaultVFS

// What tests and measures do with sweeps and stores, in processes of their own:
//
//   SweepProbe sweep STORE TRIALS SEED FAULT AT   works off a sweep of synthetic sessions
//   SweepProbe session KIND                       is one synthetic session
//   SweepProbe chaos FAULTS TRIALS SEED           breaks sweeps and tells what was lost
//   SweepProbe store FOLDER COUNT [keep]          appends records and asks for summaries
let words = Array(CommandLine.arguments.dropFirst())

func number(_ place: Int) -> Int { words.indices.contains(place) ? Int(words[place]) ?? 0 : 0 }

do {
  switch words.first {
  case "sweep":
    let faults = ["power": FAULTVFS_POWER, "kill": FAULTVFS_KILL, "full": FAULTVFS_FULL]
    let fault = words.indices.contains(4) ? faults[words[4]] : nil
    if let fault {
      _ = faultvfs_install(UInt64(number(3)), Int32(fault), Int64(number(5)), 30)
    }
    try SyntheticSweep(count: number(2)).work(store: words[1], seed: UInt64(number(3)))
  case "session":
    if words.last == "crash" { crash() }
    if words.last == "hang" { while true { Host.sleep(nanoseconds: 1_000_000_000) } }
  case "chaos":
    let report = try Chaos(faults: number(1), trials: number(2), seed: UInt64(number(3))).run()
    print(report.text())
  case "store":

    let measure = StoreMeasure(folder: words[1], count: number(2), isKept: words.last == "keep")
    print(try measure.run().text())
  default: throw Diagnostic("TST002", "no such word")
  }
} catch {
  print("error \(error)")
  // The harness tells a fault of the disk from one of ours by this.
  let code = (error as? Diagnostic)?.code ?? ""
  finish(["STO005", "STO007"].contains(code) ? 75 : 70)
}
