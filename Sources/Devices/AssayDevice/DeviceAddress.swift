import AssayBase

/// Where a device is reached, such as `local`, `ssh:pi@raspberrypi.local:22`, `adb:R58M123ABC` or
/// `program:board`.
///
/// What an address is made of goes into command lines of other programs, so that only harmless
/// characters are taken.
public enum DeviceAddress: Sendable, Hashable {
  /// The machine that this process runs on.
  case local
  /// A machine with an ssh server; what is left out is taken from the user's ssh configuration.
  case ssh(user: String?, host: String, port: Int?)
  /// A device that an adb server knows by this serial (for devices in the network `HOST:PORT`).
  case adb(serial: String)
  /// A program of the configuration file that speaks the runner's lines.
  case program(name: String)

  /// Reads an address.
  ///
  /// - Throws: `Diagnostic` DEV001 for what is none.
  public init(_ text: String) throws {
    func fault(_ what: String) -> Diagnostic {
      Diagnostic(
        "DEV001",
        "'\(text)' is no address of a device: \(what)",
        remedy: "local, ssh:[USER@]HOST[:PORT], adb:SERIAL or program:NAME; see assay devices"
      )
    }
    if text == "local" {
      self = .local
      return
    }
    guard let colon = text.firstIndex(of: ":") else { throw fault("it names no way there") }
    let rest = text[text.index(after: colon)...]
    switch text[..<colon] {
    case "ssh":
      var host = rest
      var user: String?
      if let at = rest.lastIndex(of: "@") {
        let name = rest[..<at]
        guard DeviceAddress.isPlain(name) else { throw fault("the user's name") }
        user = String(name)
        host = rest[rest.index(after: at)...]
      }
      let (name, port) = try DeviceAddress.hostAndPort(host) { fault($0) }
      self = .ssh(user: user, host: name, port: port)
    case "adb":
      guard DeviceAddress.isPlain(rest, also: ":[]") else { throw fault("the serial") }
      self = .adb(serial: String(rest))
    case "program":
      guard DeviceAddress.isPlain(rest) else { throw fault("the program's name") }
      self = .program(name: String(rest))
    case let scheme: throw fault("there is no way '\(scheme)'")
    }
  }

  /// The address as it is written.
  public var text: String {
    switch self {
    case .local: "local"
    case .ssh(let user, let host, let port):
      "ssh:" + (user.map { $0 + "@" } ?? "") + (host.contains(":") ? "[\(host)]" : host)
        + (port.map { ":\($0)" } ?? "")
    case .adb(let serial): "adb:\(serial)"
    case .program(let name): "program:\(name)"
    }
  }

  /// The word in front: `local`, `ssh`, `adb` or `program`.
  public var scheme: String {
    switch self {
    case .local: "local"
    case .ssh: "ssh"
    case .adb: "adb"
    case .program: "program"
    }
  }

  /// `HOST`, `HOST:PORT` or `[ADDRESS]:PORT`.
  private static func hostAndPort(
    _ text: Substring,
    _ fault: (String) -> Diagnostic
  ) throws -> (host: String, port: Int?) {
    var host = text
    var rest: Substring = ""
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { throw fault("the host") }
      host = text[text.index(after: text.startIndex)..<end]
      rest = text[text.index(after: end)...]
      guard isPlain(host, also: ":%") else { throw fault("the host") }
    } else {
      if let colon = text.firstIndex(of: ":") {
        host = text[..<colon]
        rest = text[colon...]
      }
      guard isPlain(host) else { throw fault("the host") }
    }
    if rest.isEmpty { return (String(host), nil) }
    guard rest.hasPrefix(":"), let port = Int(rest.dropFirst()), (1...65535).contains(port) else {
      throw fault("the port")
    }
    return (String(host), port)
  }

  /// Letters, digits and a few signs; never a dash in front, which other programs take for an option.
  static func isPlain(_ text: Substring, also: String = "") -> Bool {
    guard let first = text.unicodeScalars.first, first != "-", text.utf8.count <= 255 else {
      return false
    }
    return text.unicodeScalars.allSatisfy { scalar in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", ".", "-", "_": true
      default: also.unicodeScalars.contains(scalar)
      }
    }
  }
}

extension DeviceAddress: CustomStringConvertible {
  /// The address as it is written.
  public var description: String { text }
}
