import AssayBase
import AssayHost

/// Brings a lost device back, rung by rung; one that does not come back is put into quarantine.
///
/// 1. reconnect; 2. enumerate again; 3. the hub port's power off and on (`uhubctl`), where the user
/// named it; 4. the user's own command. After each rung the device is asked for a sign of life.
public struct DeviceLadder: Sendable {
  /// A rung that was climbed.
  public struct Step: Sendable, Equatable {
    /// `reconnect`, `enumerate`, `hub power` or `hook`.
    public var rung: String
    /// Whether the device answered after it.
    public var isBack: Bool
    /// What it came to, in words.
    public var note: String
  }

  /// How often a rung asks for a sign of life before the next one is climbed.
  public var patience = 3
  /// Seconds between two questions.
  public var pause = 1.0
  /// The program that switches hub ports.
  public var uhubctl = "uhubctl"
  private let settings: DeviceSettings

  /// The ladder for a device with these settings.
  public init(_ settings: DeviceSettings) { self.settings = settings }

  /// Climbs until the device is back.
  ///
  /// - Parameter isAlive: asks the device for a sign of life.
  /// - Returns: the rungs that were climbed; the last one tells whether the device is back.
  public func climb(_ device: any Device, isAlive: () -> Bool) -> [Step] {
    var steps: [Step] = []
    func step(_ rung: String, _ body: () throws -> String) -> Bool {
      let note: String
      do {
        note = try body()
      } catch {
        let words = (error as? Diagnostic).map { $0.cause ?? $0.summary } ?? "\(error)"
        steps.append(Step(rung: rung, isBack: false, note: words))
        return false
      }
      var isBack = false
      for attempt in 0..<max(patience, 1) {
        if attempt > 0 { Host.sleep(nanoseconds: UInt64(max(pause, 0) * 1e9)) }
        if isAlive() {
          isBack = true
          break
        }
      }
      steps.append(Step(rung: rung, isBack: isBack, note: note))
      return isBack
    }
    if step(
      "reconnect",
      {
        try device.reconnect(); return "connected anew"
      }
    ) {
      return steps
    }
    if step(
      "enumerate",
      {
        try device.enumerateAgain(); return "asked for anew"
      }
    ) {
      return steps
    }
    if let location = settings.hubLocation, let port = settings.hubPort {
      let words = ["-l", location, "-p", "\(port)", "-a", "cycle"]
      if step("hub power", { try command([uhubctl] + words, "switching the hub's port", device) }) {
        return steps
      }
    }
    if !settings.hook.isEmpty {
      if step("hook", { try command(settings.hook, "the user's command", device) }) { return steps }
    }
    return steps
  }

  private func command(_ words: [String], _ what: String, _ device: any Device) throws -> String {
    let result = try ProcessCommand.run(
      "/usr/bin/env",
      words,
      environment: ["ASSAY_DEVICE": device.address.text],
      seconds: 60
    )
    guard let result else { throw DeviceFault.silent(device.address, what, 60) }
    guard result.status == 0 else {
      throw Diagnostic("DEV013", "\(what) failed", cause: result.errors)
    }
    return Words.shell(words)
  }
}

/// Devices that did not come back, with notes: no job is given to them until a person lets them out.
public struct DeviceQuarantine: Sendable {
  /// Why a device is there.
  public struct Note: Sendable, Equatable {
    /// When it was put there, nanoseconds since 1970 (UTC).
    public var at: Int64
    /// What happened.
    public var reason: String
  }

  private let folder: String

  /// The quarantine of a home.
  public init(home: String = AssayHome.path) {
    folder = Host.join(Host.join(home, "devices"), "quarantine")
  }

  private func path(_ address: DeviceAddress) -> String {
    Host.join(folder, String(sha256(address.text).prefix(16)) + ".json")
  }

  /// Why a device is in quarantine; `nil` when it is not.
  public func note(_ address: DeviceAddress) -> Note? {
    guard let text = Host.smallText(path(address)), let json = try? JSON(parsing: text) else {
      return nil
    }
    return Note(at: Int64(json["at"]?.int ?? 0), reason: json["reason"]?.string ?? "no note")
  }

  /// Puts a device there.
  public func put(_ address: DeviceAddress, reason: String) throws {
    try Host.makeFolders(folder)
    let json = JSON.object([
      "device": .string(address.text), "at": .integer(Host.wallNanoseconds()),
      "reason": .string(reason),
    ])
    try AtomicFile.write(json.text(pretty: true) + "\n", to: path(address))
  }

  /// Lets a device out.
  ///
  /// - Returns: whether it was there.
  @discardableResult
  public func release(_ address: DeviceAddress) throws -> Bool {
    guard Host.exists(path(address)) else { return false }
    try Host.remove(path(address))
    return true
  }

  /// Throws when a device is there.
  ///
  /// - Throws: `Diagnostic` DEV014.
  public func refuse(_ address: DeviceAddress) throws {
    guard let note = note(address) else { return }
    throw Diagnostic(
      "DEV014",
      "the device is in quarantine since \(Words.moment(note.at))",
      at: [address.text],
      remedy: "see what is wrong with it, then: assay devices release \(address.text)",
      cause: note.reason
    )
  }
}
