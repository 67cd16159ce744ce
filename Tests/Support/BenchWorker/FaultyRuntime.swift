import AssayBase
import AssayHost
import AssayRuntime
import AssayTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A runtime that fails as its model's path says.
///
/// The path is `<fault>@<when>`, such as `crash@load` or `hang@run:30` (at the 30th run); without a
/// fault a run sleeps a little. `cache` answers what it was asked before at once, `lie@run:30` gives
/// other outputs from the 30th run on.
struct FaultyRuntime: InferenceRuntime {
  var id: String { "faulty" }
  var formats: [String] { [] }
  func probe() -> Availability { .available(version: "0") }

  func load(path: String, options: SessionOptions) throws -> any Session {
    let fault = Fault(path)
    if fault.when == "load" { try fault.strike() }
    return FaultySession(fault)
  }
}

struct Fault {
  var kind: String
  var when: String
  var count: Int

  init(_ text: String) {
    let parts = text.split(separator: "@", maxSplits: 1).map(String.init)
    kind = parts.first ?? ""
    let moment = (parts.count > 1 ? parts[1] : "").split(separator: ":").map(String.init)
    when = moment.first ?? ""
    count = moment.count > 1 ? Int(moment[1]) ?? 1 : 1
  }

  func strike() throws {
    switch kind {
    case "crash": _ = raise(SIGSEGV)
    case "abort":
      say("terminate called after throwing an instance of 'std::bad_alloc'", on: 2)
      abort()
    case "oom": _ = raise(SIGKILL)
    case "exit": exit(5)
    case "hang": while true { Host.sleep(nanoseconds: 1_000_000_000) }
    case "spin": while true {}
    case "noise":
      for line in 0..<5000 {
        say("line \(line) of what a talkative runtime prints on its standard output", on: 1)
      }
    case "mutter":
      say("INFO: nothing of interest", on: 2)
      say("no device with a driver", on: 2)
      throw Diagnostic("RTM006", "the fault was asked for", cause: "status 3")
    case "throw": throw Diagnostic("RTM005", "the fault was asked for", cause: "vendor's words")
    default: break
    }
  }
}

private func say(_ line: String, on descriptor: Int32) {
  _ = LineChannel(input: 0, output: descriptor).write(line)
}

final class FaultySession: Session {
  let inputs = [Port(name: "x", type: TensorType(.float32, [1, 2]))]
  let outputs = [Port(name: "y", type: TensorType(.float32, [1, 2]))]
  var placement: Placement { Placement(provider: "faulty", notes: []) }
  var readNanoseconds: UInt64 { 1 }
  var compileNanoseconds: UInt64 { 2 }
  var failureText: String { "the run failed as asked" }
  private let fault: Fault
  private var runs = 0
  private var value = ByteView([UInt8](repeating: 0, count: 8))
  private var ballast: [UInt8] = []

  init(_ fault: Fault) {
    self.fault = fault
    if fault.kind == "grow" { ballast = [UInt8](repeating: 1, count: fault.count << 20) }
  }

  private var isKnown = false

  func write(_ bytes: ByteView, toInput index: Int) throws {
    isKnown = bytes.array == value.array
    value = bytes
  }

  func readOutput(_ index: Int) throws -> ByteView {
    if fault.kind == "lie", runs >= fault.count {
      return ByteView(value.array.map { $0 ^ 0x40 })
    }
    return value
  }

  func run() throws(RunFailure) {
    runs += 1
    if fault.when == "run", runs == fault.count {
      if fault.kind == "fail" { throw RunFailure(status: 42) }
      try? fault.strike()
    }
    if fault.kind == "cache", isKnown { return }
    usleep(200)
  }

  func profile(runs count: Int) throws -> [OperatorTime] {
    if fault.when == "profile" { try fault.strike() }
    return []
  }
}
