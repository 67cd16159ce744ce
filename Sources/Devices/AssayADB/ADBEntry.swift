import AssayBase

/// One line of what adb's server knows of phones.
public struct ADBEntry: Sendable, Equatable {
  /// How far a phone can be used.
  public enum State: Sendable, Equatable {
    /// It can be used.
    case ready
    /// It was seen and does not answer.
    case offline
    /// Its owner has not allowed this machine yet.
    case unauthorized
    /// The question is on the phone's screen, or keys are being exchanged.
    case authorizing
    /// It is being connected to.
    case connecting
    /// This user may not open the USB device; the server's words.
    case noPermissions(String)
    /// Another mode, such as `recovery` or `bootloader`.
    case other(String)

    /// The state as the server calls it.
    public var word: String {
      switch self {
      case .ready: "device"
      case .offline: "offline"
      case .unauthorized: "unauthorized"
      case .authorizing: "authorizing"
      case .connecting: "connecting"
      case .noPermissions: "no permissions"
      case .other(let word): word
      }
    }
  }

  /// How a phone is attached.
  public enum Transport: String, Sendable {
    /// By a cable.
    case usb
    /// By an address and a port that somebody gave.
    case tcp
    /// By wireless debugging, with a paired key.
    case wireless
    /// An emulator on this machine.
    case emulator
  }

  /// The word that names it.
  public var serial: String
  /// How far it can be used.
  public var state: State
  /// What else the server tells: `usb`, `product`, `model`, `device`, `transport_id`.
  public var details: [String: String]

  /// Makes an entry.
  public init(serial: String, state: State, details: [String: String] = [:]) {
    self.serial = serial
    self.state = state
    self.details = details
  }

  /// How it is attached.
  public var transport: Transport {
    if serial.hasPrefix("emulator-") { return .emulator }
    if serial.contains("._adb-tls-connect._tcp") { return .wireless }
    if details["usb"] == nil, ADBAddress(serial) != nil { return .tcp }
    return .usb
  }

  /// Reads a line of `host:devices-l` or `host:devices`; `nil` when it is none.
  public init?(line: some StringProtocol) {
    let text = String(line).filter { $0 != "\r" }
    guard let end = text.firstIndex(where: \.isWhitespace), end != text.startIndex else {
      return nil
    }
    serial = String(text[..<end])
    let rest = text[end...].drop(while: \.isWhitespace)
    guard !rest.isEmpty else { return nil }
    var words = rest.split(separator: " ")
    details = [:]
    // Details stand last; the state before them may be a sentence.
    while let word = words.last, let colon = word.firstIndex(of: ":"),
      ADBEntry.names.contains(String(word[..<colon]))
    {
      details[String(word[..<colon])] = String(word[word.index(after: colon)...])
      words.removeLast()
    }
    let state = words.joined(separator: " ")
    switch state {
    case "device": self.state = .ready
    case "offline": self.state = .offline
    case "unauthorized": self.state = .unauthorized
    case "authorizing": self.state = .authorizing
    case "connecting": self.state = .connecting
    case _ where state.hasPrefix("no permissions"): self.state = .noPermissions(state)
    case "": return nil
    default: self.state = .other(state)
    }
  }

  private static let names: Set<String> = ["usb", "product", "model", "device", "transport_id"]

  /// Every line of an answer that names a phone.
  public static func list(_ text: String) -> [ADBEntry] {
    text.split(whereSeparator: \.isNewline).compactMap { ADBEntry(line: $0) }
  }

  /// Why it cannot be used, with what to do; `nil` when it can.
  public var obstacle: Diagnostic? {
    switch state {
    case .ready: nil
    case .unauthorized, .authorizing:
      Diagnostic(
        "ADB011",
        "the phone has not allowed this machine yet",
        at: ["adb:\(serial)"],
        remedy: "unlock the phone and accept 'Allow USB debugging?'; where no question comes, "
          + "revoke USB debugging authorizations in its developer options and plug it in again"
      )
    case .noPermissions(let words):
      Diagnostic(
        "ADB012",
        "this user may not open the phone's USB device",
        at: ["adb:\(serial)"],
        remedy: "install android-sdk-platform-tools-common (udev rules), join the group plugdev, "
          + "log in again, and restart the server: adb kill-server",
        cause: words
      )
    case .offline, .connecting:
      Diagnostic(
        "ADB012",
        "the phone is \(state.word)",
        at: ["adb:\(serial)"],
        remedy:
          "plug it in again, or toggle USB debugging; wireless: assay devices connect \(serial)"
      )
    case .other(let word):
      Diagnostic(
        "ADB012",
        "the phone is in the mode '\(word)'",
        at: ["adb:\(serial)"],
        remedy: "start Android on it"
      )
    }
  }
}

/// A host and a port, such as `192.168.1.20:5555`.
public struct ADBAddress: Sendable, Equatable {
  /// A name or a number; an IPv6 number without its brackets.
  public var host: String
  /// The port.
  public var port: Int

  /// The address as adb takes it.
  public var text: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Reads `HOST:PORT` or `[IPv6]:PORT`; `nil` when it is something else.
  ///
  /// - Parameter port: the port where the text has none; `nil` demands one.
  public init?(_ text: String, port standard: Int? = nil) {
    var host = text
    var port = standard
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = String(text[text.index(after: text.startIndex)..<end])
      let rest = text[text.index(after: end)...]
      if rest.hasPrefix(":") {
        port = Int(rest.dropFirst())
        if port == nil { return nil }
      } else if !rest.isEmpty {
        return nil
      }
    } else if let colon = text.lastIndex(of: ":") {
      host = String(text[..<colon])
      port = Int(text[text.index(after: colon)...])
      if port == nil || host.contains(":") { return nil }
    }
    let allowed = host.unicodeScalars.allSatisfy { scalar in
      scalar.isASCII
        && (scalar.properties.isAlphabetic || ("0"..."9").contains(Character(scalar))
          || scalar == "." || scalar == "-" || scalar == ":" || scalar == "%")
    }
    guard let port, (1...65535).contains(port), !host.isEmpty, !host.hasPrefix("-"), allowed else {
      return nil
    }
    self.host = host
    self.port = port
  }
}
