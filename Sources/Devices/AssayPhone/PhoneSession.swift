import AssayBase
import AssayDevice
import AssayHost

/// A phone for the time of one job: asked what it is, with our folder on it; nothing stays when it ends.
public final class PhoneSession {
  /// The phone.
  public let device: any ShellDevice
  /// What it told of itself.
  public let facts: DeviceFacts
  /// What was done with it.
  public let journal: DeviceJournal
  /// Our folder.
  public let folder: DeviceFolder
  private let settings: DeviceSettings
  private let quarantine: DeviceQuarantine
  private var number = 0

  /// Opens a job on a phone.
  ///
  /// - Throws: `Diagnostic` DEV… when it cannot be asked.
  public init(
    _ device: any ShellDevice,
    _ settings: DeviceSettings = DeviceSettings(),
    quarantine: DeviceQuarantine = DeviceQuarantine()
  ) throws {
    self.device = device
    self.settings = settings
    self.quarantine = quarantine
    journal = DeviceJournal()
    facts = try journal.note("probe") { try device.probe() }
    folder = try DeviceFolder(device, journal: journal, grace: settings.grace ?? 60)
  }

  /// Interfaces for programs that the phone takes, the best first.
  public var abis: [String] {
    let told = (facts.further["abis"] ?? facts.further["abi"] ?? "").split(separator: ",")
    if !told.isEmpty { return told.map { String($0) } }
    switch facts.architecture {
    case "aarch64": return ["arm64-v8a"]
    case "armv7l", "armv8l": return ["armeabi-v7a"]
    case "x86_64": return ["x86_64"]
    default: return []
    }
  }

  /// Runs a command that survives the loss of the way, once.
  ///
  /// - Throws: `Diagnostic` DEV017, DEV018, or DEV014 when the phone did not come back.
  public func run(
    _ script: String,
    seconds: Double,
    watching: (Double) -> Void = { _ in }
  ) throws -> DetachedRun.Outcome {
    number += 1
    let run = DetachedRun(
      device,
      script,
      folder: folder.newPath("run-\(number)"),
      seconds: seconds
    )
    return try journal.note("run") {
      try run.run(recover: { try recover($0) }, watching: watching)
    }
  }

  /// Does something, again after the phone was brought back when the way was lost.
  public func insist<T>(_ body: () throws -> T) throws -> T {
    var attempts = 0
    while true {
      do {
        return try body()
      } catch let error as Diagnostic where DeviceFault.ofTheWay.contains(error.code) {
        attempts += 1
        // What is done may take many steps, of which each can be lost.
        guard attempts <= 100 else { throw error }
        try recover(error)
      }
    }
  }

  /// Brings the phone back by the ladder, or puts it into quarantine.
  private func recover(_ error: Diagnostic) throws {
    let steps = DeviceLadder(settings).climb(device) {
      (try? device.run("echo alive", seconds: 10))?.output.contains("alive") ?? false
    }
    guard steps.last?.isBack == true else {
      let tried = steps.map { "\($0.rung): \($0.note)" }.joined(separator: "; ")
      try quarantine.put(device.address, reason: "it was lost and did not come back (\(tried))")
      try quarantine.refuse(device.address)
      throw error
    }
    try takeOver()
  }

  /// The way may break again at once, at each of the steps that this takes: a way that breaks often is
  /// still one.
  private func takeOver() throws {
    let most = 30
    for attempt in 1...most {
      do {
        try folder.takeOver()
        return
      } catch let error as Diagnostic {
        guard DeviceFault.ofTheWay.contains(error.code), attempt < most else { throw error }
        Host.sleep(nanoseconds: UInt64(attempt) * 5_000_000)
        // Waits until it is there: it may be gone for longer than the questions take.
        try? device.reconnect()
      }
    }
  }

  /// Removes our folder on the phone.
  ///
  /// - Returns: whether nothing of ours is left there.
  @discardableResult
  public func close() -> Bool {
    for _ in 0..<5 where folder.close() { return true }
    return false
  }
}
