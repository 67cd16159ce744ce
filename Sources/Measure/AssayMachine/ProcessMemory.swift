import AssayBase

/// The memory of this process, bytes; `nil` where the system does not tell.
public struct ProcessMemory: Sendable, Equatable {
  /// The greatest resident set so far.
  public var peakResident: Int?
  /// The resident set.
  public var resident: Int?
  /// The resident set, what is shared with others divided among them.
  public var proportional: Int?
  /// What this process alone holds and has written to.
  public var privateDirty: Int?
  /// Faults that needed no disk, and faults that waited for one, since the start.
  public var minorFaults: Int?
  public var majorFaults: Int?

  /// The memory as it is now.
  public init(_ files: SystemFiles = SystemFiles()) {
    func bytes(_ key: String, _ text: String) -> Int? {
      files.int(key, in: text.split(separator: "\t").joined(separator: " "))
        .map { $0.multipliedReportingOverflow(by: 1024).partialValue }
    }
    let status = files.text("/proc/self/status") ?? ""
    peakResident = bytes("VmHWM:", status)
    resident = bytes("VmRSS:", status)
    let rollup = files.text("/proc/self/smaps_rollup") ?? ""
    proportional = bytes("Pss:", rollup)
    privateDirty = bytes("Private_Dirty:", rollup)
    // The name in the second field may hold spaces and parentheses; it ends with the last one.
    if let text = files.text("/proc/self/stat"), let end = text.lastIndex(of: ")") {
      let fields = text[text.index(after: end)...].split(separator: " ")
      if fields.count > 9 {
        minorFaults = Int(fields[7])
        majorFaults = Int(fields[9])
      }
    }
  }

  /// The memory as a worker tells it.
  public var json: JSON {
    var object = JSON.emptyObject
    object["peakResident"] = peakResident.map { JSON($0) }
    object["resident"] = resident.map { JSON($0) }
    object["proportional"] = proportional.map { JSON($0) }
    object["privateDirty"] = privateDirty.map { JSON($0) }
    object["minorFaults"] = minorFaults.map { JSON($0) }
    object["majorFaults"] = majorFaults.map { JSON($0) }
    return object
  }
}
