import AssayBase
import AssayHost
import CProbe

/// What this machine can do at best, measured on it (Williams, Waterman, Patterson: Roofline, 2009).
///
/// A multiply-add counts once; a byte counts when it is read and again when it is written.
public struct Roofline: Sendable, Equatable {
  /// The limits for one number of threads.
  public struct Limits: Sendable, Equatable {
    /// The number of threads.
    public var threads: Int
    /// Single-precision multiply-adds a second.
    public var multiplyAdds32: Double
    /// 8-bit multiply-adds a second; `nil` where the processor has no instruction for them.
    public var multiplyAdds8: Double?
    /// Bytes a second of copying arrays that no cache holds.
    public var memoryBytes: Double
    /// Bytes a second of copying arrays that each core's own cache holds.
    public var cacheBytes: Double

    /// Makes limits.
    public init(
      threads: Int,
      multiplyAdds32: Double,
      multiplyAdds8: Double?,
      memoryBytes: Double,
      cacheBytes: Double
    ) {
      self.threads = threads
      self.multiplyAdds32 = multiplyAdds32
      self.multiplyAdds8 = multiplyAdds8
      self.memoryBytes = memoryBytes
      self.cacheBytes = cacheBytes
    }

    /// The greater of each limit of this and of another measurement with as many threads.
    func greater(_ others: [Limits]) -> Limits {
      guard let other = others.first(where: { $0.threads == threads }) else { return self }
      var best = self
      best.multiplyAdds32 = max(multiplyAdds32, other.multiplyAdds32)
      if let mine = multiplyAdds8, let its = other.multiplyAdds8 {
        best.multiplyAdds8 = max(mine, its)
      }
      best.memoryBytes = max(memoryBytes, other.memoryBytes)
      best.cacheBytes = max(cacheBytes, other.cacheBytes)
      return best
    }

    /// The greatest rate in multiply-adds a second at an intensity in multiply-adds a byte.
    public func ceiling(intensity: Double, isInteger: Bool) -> Double {
      min(peak(isInteger: isInteger), intensity * memoryBytes)
    }

    /// The greatest rate on registers.
    public func peak(isInteger: Bool) -> Double {
      isInteger ? multiplyAdds8 ?? multiplyAdds32 : multiplyAdds32
    }
  }

  /// The limits, by rising numbers of threads.
  public var limits: [Limits]
  /// The instructions that the loops used, `avx512` or such, for 32 and 8 bits.
  public var instructions: [String]
  /// When it was measured, nanoseconds since 1970 (UTC).
  public var measuredAt: Int64
  /// What it was measured on: processor, kernel and the processors that were allowed.
  public var machine: String

  /// The limits for a number of threads: those of the nearest number that was measured.
  public func limits(threads: Int) -> Limits? {
    limits.min { abs($0.threads - threads) < abs($1.threads - threads) }
  }

  /// Processors that others kept busy just before; `nil` when the system does not tell.
  ///
  /// Limits that were measured beside others are too low.
  public var othersBusy: Double?

  /// Measures the machine, which takes about two seconds.
  ///
  /// Each figure is the best of many runs of a few milliseconds: a roof is what can be reached,
  /// whatever else the machine does only takes away from it, and a short run is the likeliest to be
  /// left alone.
  ///
  /// - Parameters:
  ///   - threads: the numbers of threads; each is measured.
  ///   - runs: runs of each loop on registers; the slow copy of large arrays has a fifth of them.
  public static func measure(
    threads: [Int],
    runs: Int = 60,
    nanoseconds: UInt64 = 2_000_000
  ) throws -> Roofline {
    func best(_ loop: CProbeLoop, _ threads: Int, _ bytes: Int, _ runs: Int) throws -> Double {
      var best = 0.0
      for _ in 0..<max(runs, 1) {
        var rate = 0.0
        let status = unsafe cprobe_loop_run(loop, Int32(threads), bytes, nanoseconds, &rate)
        guard status == 0 else {
          throw Diagnostic("PRE160", "a loop of the roofline could not run (error \(status))")
        }
        best = max(best, rate)
      }
      return best
    }
    let busy = Conditions(watch: 100_000_000).othersBusy
    let limits = try Set(threads).sorted().map { count in
      try Limits(
        threads: count,
        multiplyAdds32: best(CProbeMultiplyAdd32, count, 0, runs),
        multiplyAdds8: unsafe cprobe_loop_set(CProbeMultiplyAdd8) == nil
          ? nil : best(CProbeMultiplyAdd8, count, 0, runs),
        // Together larger than any cache; half a core's own cache.
        memoryBytes: best(
          CProbeCopy,
          count,
          max(Roofline.largestCache * 4 / count, 1 << 26),
          runs / 5
        ),
        cacheBytes: best(CProbeCopy, count, 1 << 15, runs)
      )
    }
    return Roofline(
      limits: limits,
      instructions: [CProbeMultiplyAdd32, CProbeMultiplyAdd8].map {
        unsafe cprobe_loop_set($0).map { unsafe String(cString: $0) } ?? "none"
      },
      measuredAt: Host.wallNanoseconds(),
      machine: machineName(),
      othersBusy: busy
    )
  }

  /// Bytes of the largest cache that the system tells of, at most 256 MiB.
  static var largestCache: Int {
    let files = SystemFiles()
    let folder = "/sys/devices/system/cpu/cpu0/cache"
    let sizes = files.list(folder).compactMap { name -> Int? in
      guard let text = files.line("\(folder)/\(name)/size"), let number = Int(text.dropLast())
      else { return nil }
      return text.hasSuffix("K") ? number << 10 : text.hasSuffix("M") ? number << 20 : nil
    }
    return min(sizes.max() ?? 1 << 25, 1 << 28)
  }

  /// What a measurement holds for: another processor, kernel or binding wants another one.
  public static func machineName() -> String {
    let machine = MachineInfo.current()
    return [
      machine.processor ?? machine.architecture, machine.kernel,
      "processors " + ProcessorList.text(machine.allowedProcessors),
    ].joined(separator: ", ")
  }
}

extension Roofline {
  /// The roofline as JSON.
  public var json: JSON {
    .object([
      "schema": "assay.roofline/1", "machine": .string(machine), "measuredAt": .integer(measuredAt),
      "othersBusy": othersBusy.map { JSON($0) } ?? .null,
      "instructions": .array(instructions.map { .string($0) }),
      "limits": .array(
        limits.map {
          .object([
            "threads": JSON($0.threads), "macsPerSecond32": JSON($0.multiplyAdds32),
            "macsPerSecond8": $0.multiplyAdds8.map { JSON($0) } ?? .null,
            "memoryBytesPerSecond": JSON($0.memoryBytes),
            "cacheBytesPerSecond": JSON($0.cacheBytes),
          ])
        }
      ),
    ])
  }

  /// Reads a roofline; `nil` when it is none.
  public init?(json: JSON) {
    guard json["schema"]?.string == "assay.roofline/1", let machine = json["machine"]?.string,
      let moment = json["measuredAt"]?.int, let list = json["limits"]?.array
    else { return nil }
    self.machine = machine
    measuredAt = Int64(moment)
    othersBusy = json["othersBusy"]?.double
    instructions = (json["instructions"]?.array ?? []).compactMap(\.string)
    limits = list.compactMap { element in
      guard let threads = element["threads"]?.int, let peak = element["macsPerSecond32"]?.double,
        let memory = element["memoryBytesPerSecond"]?.double,
        let cache = element["cacheBytesPerSecond"]?.double, peak > 0, memory > 0, threads > 0
      else { return nil }
      return Limits(
        threads: threads,
        multiplyAdds32: peak,
        multiplyAdds8: element["macsPerSecond8"]?.double,
        memoryBytes: memory,
        cacheBytes: cache
      )
    }
    if limits.isEmpty || limits.count != list.count { return nil }
  }

  /// Whether it was measured beside others, so that it must be measured again.
  public var isDisturbed: Bool { (othersBusy ?? 0) > 0.1 }

  /// The roofline of this machine, measured when `file` holds none of it for this many threads.
  ///
  /// One that was measured beside others is kept only until the machine is quieter: of two measurements
  /// the greater limits count, for nothing makes a machine faster than it is.
  ///
  /// - Parameter isFresh: whether it is measured in any case.
  /// - Returns: the roofline, and whether it was measured just now.
  public static func cached(
    in file: String,
    threads: Int,
    isFresh: Bool = false
  ) throws -> (roofline: Roofline, isNew: Bool) {
    let known = Host.smallText(file).flatMap { try? JSON(parsing: $0) }.flatMap(
      Roofline.init(json:)
    )
    if !isFresh, let known, known.machine == machineName(), !known.isDisturbed,
      known.limits.contains(where: { $0.threads == threads })
    {
      return (known, false)
    }
    var counts = [1, max(Host.allowedProcessors().count, 1), threads]
    if let known, known.machine == machineName() { counts += known.limits.map(\.threads) }
    var measured = try measure(threads: counts)
    if let known, known.machine == machineName(), measured.isDisturbed || known.isDisturbed {
      measured.limits = measured.limits.map { $0.greater(known.limits) }
    }
    try Host.makeFolders(Host.folder(of: file))
    try AtomicFile.write(measured.json.text(pretty: true) + "\n", to: file)
    return (measured, true)
  }
}
