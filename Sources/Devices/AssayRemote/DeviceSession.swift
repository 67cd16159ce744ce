import AssayBase
import AssayBench
import AssayDevice
import AssayHost
import AssayMachine
import AssayRecord
import AssayRuntime
import Synchronization

/// A device for the time of one job: probed, with our folder on it and the runner in it; nothing stays
/// when it ends.
public final class DeviceSession: @unchecked Sendable {
  // Safe because: what changes is guarded by `lock`; the rest is set once.

  /// The device.
  public let device: any Device
  /// What was noted of it.
  public let settings: DeviceSettings
  /// What it told of itself when the job began.
  public let facts: DeviceFacts
  /// What was done with it.
  public let journal: DeviceJournal
  /// Keeps the right to use the device; called between steps.
  public var lease: (@Sendable () -> Void)? {
    get { lock.withLock { $0.lease } }
    set { lock.withLock { $0.lease = newValue } }
  }
  private let progress: @Sendable (String) -> Void
  private let lock = Mutex<State>(State())

  private struct State {
    var folder: DeviceFolder?
    var places: [String: (bundle: RunnerBundle, path: String)] = [:]
    var isClosed = false
    var farewells: [@Sendable () -> Void] = []
    var lease: (@Sendable () -> Void)?
  }

  /// Opens a job on a device.
  ///
  /// - Throws: `Diagnostic` DEV… when it cannot be asked.
  public init(
    _ device: any Device,
    _ settings: DeviceSettings = DeviceSettings(),
    progress: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    self.device = device
    self.settings = settings
    self.progress = progress
    journal = DeviceJournal()
    progress("asking \(device.address) what it is")
    let journal = journal
    facts = try journal.note("probe") { try device.probe() }
  }

  deinit { close() }

  /// The word by which records and keys know the device.
  public var name: String { device.address.text }

  /// Why a runtime cannot be used there; `nil` when it can, as far as is known without trying.
  public func refusal(of runtime: String) -> Diagnostic? {
    if device is ProgramDevice { return nil }
    do {
      _ = try RunnerBundle.version(
        for: facts,
        runtime: runtime,
        ownRuntime: settings.libraries[runtime]
      )
      return nil
    } catch {
      return (error as? Diagnostic) ?? Diagnostic("RUN003", "\(error)")
    }
  }

  /// The version of a runtime that is brought there; `nil` when there is none to bring.
  public func version(of runtime: String) -> String? {
    // A program of the user's has runtimes of its own, and tells of them when it loads a network.
    if device is ProgramDevice { return "of the device" }
    return try? RunnerBundle.version(
      for: facts,
      runtime: runtime,
      ownRuntime: settings.libraries[runtime]
    )
  }

  /// Does something when the job ends, such as giving back the right to use the device.
  public func whenClosed(_ body: @escaping @Sendable () -> Void) {
    lock.withLock { $0.farewells.append(body) }
  }

  /// Starts a worker on the device.
  ///
  /// - Parameter provider: the hardware path, whose plug-ins go along where LiteRT has them.
  /// - Throws: `Diagnostic` RUN… when there is no runner for it, DEV… when it is lost.
  public func makeWorker(
    runtime: String,
    provider: Provider = .cpu
  ) throws -> any WorkerLink {
    if let program = device as? ProgramDevice {
      return try RemoteWorker(try program.open(), LocalFiles(), device.address)
    }
    guard let device = device as? any ShellDevice else {
      throw Diagnostic("RUN003", "no runner can be brought to \(self.device.address)")
    }
    return try lock.withLock { state in
      let folder: DeviceFolder
      if let open = state.folder {
        folder = open
      } else {
        folder = try DeviceFolder(device, journal: journal, grace: settings.grace ?? 60)
        state.folder = folder
      }
      let place: (bundle: RunnerBundle, path: String)
      let key = runtime + (provider == .gpu || provider == .npu ? " " + provider.rawValue : "")
      if let known = state.places[key] {
        place = known
      } else {
        let bundle = try RunnerBundle(
          for: facts,
          runtime: runtime,
          provider: provider,
          ownRuntime: settings.libraries[runtime]
        )
        let path = try bundle.bring(to: folder, device, journal: journal, progress: progress)
        place = (bundle, path)
        state.places[key] = place
      }
      let words = "cd \(Words.shell([place.path])) && exec \(place.bundle.command)"
      let stream = try journal.note("runner") { try device.open(words) }
      let memory = facts.conditions?.availableMemory ?? facts.memoryBytes ?? 1 << 30
      return try RemoteWorker(
        stream,
        DeviceFiles(device, folder, journal),
        device.address,
        loadOptions: .object([
          "library": .string(
            place.bundle.library.hasPrefix("/")
              ? place.bundle.library : "./" + place.bundle.library
          ),
          "version": .string(place.bundle.version), "folder": .string(place.path),
          "settings": settings.libraries["edgetpu"].map { .object(["library": .string($0)]) }
            ?? .emptyObject,
        ]),
        // Inputs and outputs are held at once, and the model beside them.
        sliceByteCount: min(max(memory / 16, 1 << 20), 64 << 20),
        isAlive: { [weak self] in self?.isAlive() ?? false }
      )
    }
  }

  /// Brings a bundle to the device for good.
  ///
  /// - Returns: its folder there, and whether it was there already.
  public func keep(_ bundle: RunnerBundle) throws -> (path: String, wasThere: Bool) {
    guard let device = device as? any ShellDevice else {
      throw Diagnostic("RUN003", "no runner can be brought to \(self.device.address)")
    }
    return try lock.withLock { state in
      let folder = try state.folder ?? DeviceFolder(device, journal: journal)
      state.folder = folder
      return try bundle.keep(on: device, folder, journal: journal, progress: progress)
    }
  }

  /// A sign of life within ten seconds.
  public func isAlive() -> Bool {
    guard let device = device as? any ShellDevice else { return (try? device.probe()) != nil }
    return (try? device.run("echo alive", seconds: 10))?.output.contains("alive") ?? false
  }

  /// Brings a lost device back, or puts it into quarantine.
  ///
  /// - Returns: the rungs that were climbed.
  /// - Throws: `Diagnostic` DEV014 when it did not come back.
  @discardableResult
  public func recover(
    quarantine: DeviceQuarantine = DeviceQuarantine()
  ) throws
    -> [DeviceLadder.Step]
  {
    progress("bringing \(device.address) back")
    let steps = DeviceLadder(settings).climb(device) { isAlive() }
    guard steps.last?.isBack == true else {
      let tried = steps.map { "\($0.rung): \($0.note)" }.joined(separator: "; ")
      try quarantine.put(device.address, reason: "it was lost and did not come back (\(tried))")
      try quarantine.refuse(device.address)
      return steps
    }
    try lock.withLock { state in
      try state.folder?.takeOver()
      // Bundles may be gone with a device that was started anew: they are looked for again.
      state.places = [:]
    }
    return steps
  }

  /// Removes our folder on the device and ends the connection.
  ///
  /// - Returns: whether nothing of ours is left there; the device removes it by itself when the way is
  ///   broken.
  @discardableResult
  public func close() -> Bool {
    var farewells: [@Sendable () -> Void] = []
    let isClean = lock.withLock { state -> Bool in
      guard !state.isClosed else { return true }
      farewells = state.farewells
      state.farewells = []
      state.isClosed = true
      let isGone = state.folder?.close() ?? true
      state.folder = nil
      return isGone
    }
    device.close()
    for farewell in farewells { farewell() }
    return isClean
  }

  /// The facts as a record's environment keeps them, in place of this machine's.
  public var environment: JSON {
    var object = JSON.object([
      "transport": .string(device.transport), "deviceKind": .string(facts.identity),
    ])
    object["processor"] = facts.processor.map { .string($0) }
    object["deviceModel"] = facts.model.map { .string($0) }
    object["processorCount"] = facts.processorCount.map { JSON($0) }
    object["system"] = facts.system.map { .string($0) }
    object["kernel"] = facts.kernel.map { .string($0) }
    object["architecture"] = facts.architecture.map { .string($0) }
    object["memoryBytes"] = facts.memoryBytes.map { JSON($0) }
    object["library"] = facts.library.map { .string($0) }
    object["individual"] = facts.individual.map { .string($0) }
    object["emulator"] = facts.emulator.map { .string($0) }
    // What scales of ratings ask for.
    object["emulated"] = .bool(facts.emulator != nil)
    object["governor"] = facts.conditions?.processors.first?.governor.map { .string($0) }
    for attachment in facts.attachments { object["attached"] = .string(attachment.name) }
    return object
  }
}
