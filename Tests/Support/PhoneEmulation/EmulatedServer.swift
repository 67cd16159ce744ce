import AssayBase
import AssayHost
import Synchronization

/// An adb server with emulated phones, on a port of its own.
///
/// It speaks what the real one speaks to clients, so that everything above can be tested without a
/// phone, without root, and with faults that a real daemon does not show when it is asked to.
public final class EmulatedServer: Sendable {
  /// Its port on the loopback interface.
  public let port: Int
  private let listener: Listener
  private let phones: Mutex<[EmulatedPhone]>
  /// Phones that are there once somebody connects to their address.
  private let reachable: Mutex<[String: EmulatedPhone]>
  private let forwards = Mutex<[Int: (serial: String, port: Int)]>([:])
  private let isEnding = Atomic<Bool>(false)
  private let threads = Mutex<[Thread]>([])
  /// Requests that came, for tests that count.
  public let requests = Mutex<[String]>([])

  // Safe because: it is joined once, by whoever takes it out of the list.
  private final class Thread: @unchecked Sendable {
    let own: OwnThread
    init(_ own: OwnThread) { self.own = own }
  }

  /// Starts to serve.
  public init(_ phones: [EmulatedPhone] = [], reachable: [String: EmulatedPhone] = [:]) throws {
    listener = try Listener()
    port = listener.port
    self.phones = Mutex(phones)
    self.reachable = Mutex(reachable)
    let thread = try OwnThread { [self] _ in
      while !isEnding.load(ordering: .relaxed) {
        guard let connection = listener.accept() else { continue }
        serve(connection)
      }
      listener.end()
    }
    let kept = Thread(thread)
    threads.withLock { $0.append(kept) }
  }

  /// Ends it; must be called.
  public func end() {
    isEnding.store(true, ordering: .relaxed)
    while let thread = threads.withLock({ $0.popLast() }) { thread.own.join() }
  }

  private func serve(_ connection: Int32) {
    let thread = try? OwnThread { [self] _ in
      let wire = Wire(connection, budget: nil)
      try? answer(wire)
      wire.end()
    }
    guard let kept = thread.map({ Thread($0) }) else { return }
    threads.withLock { $0.append(kept) }
  }

  private func request(_ wire: Wire) throws -> String {
    let digits = String(decoding: try wire.read(4), as: UTF8.self)
    guard let length = Int(digits, radix: 16) else { throw Wire.Cut() }
    let text = String(decoding: try wire.read(length), as: UTF8.self)
    requests.withLock { $0.append(text) }
    return text
  }

  private func list(_ isLong: Bool) -> String {
    phones.withLock { $0 }.compactMap { phone in
      guard let state = phone.state else { return nil }
      let details =
        isLong && state == "device"
        ? " product:oriole model:Pixel_6 device:oriole transport_id:1" : ""
      let place = isLong && !phone.serial.contains(":") ? " usb:1-2" : ""
      return "\(phone.serial)\t\(state)\(place)\(details)\n"
    }.joined()
  }

  private func answer(_ wire: Wire) throws {
    let text = try request(wire)
    switch text {
    case "host:version":
      try wire.write("OKAY")
      try wire.frame("0029")
    case "host:devices", "host:devices-l":
      try wire.write("OKAY")
      try wire.frame(list(text.hasSuffix("-l")))
    case "host:track-devices-l", "host:track-devices": try track(wire, text.hasSuffix("-l"))
    case "host:list-forward":
      try wire.write("OKAY")
      try wire.frame(
        forwards.withLock { all in
          all.map { "\($0.value.serial) tcp:\($0.key) tcp:\($0.value.port)\n" }.joined()
        }
      )
    case "host:kill":
      try wire.write("OKAY")
      isEnding.store(true, ordering: .relaxed)
    case _ where text.hasPrefix("host:connect:"): try connect(String(text.dropFirst(13)), wire)
    case _ where text.hasPrefix("host:disconnect:"):
      let address = String(text.dropFirst(16))
      phones.withLock { phones in
        phones.removeAll { phone in
          guard phone.serial == address else { return false }
          phone.faults.withLock { $0.isTornDown = false }
          return true
        }
      }
      try wire.write("OKAY")
      try wire.frame("disconnected \(address)")
    case _ where text.hasPrefix("host:transport:"):
      try transport(String(text.dropFirst(15)), wire)
    case _ where text.hasPrefix("host-serial:"): try ofSerial(String(text.dropFirst(12)), wire)
    default: try fail("unknown host service", wire)
    }
  }

  private func fail(_ reason: String, _ wire: Wire) throws {
    try wire.write("FAIL")
    try wire.frame(reason)
  }

  private func track(_ wire: Wire, _ isLong: Bool) throws {
    try wire.write("OKAY")
    var last: String?
    while !isEnding.load(ordering: .relaxed) {
      let now = list(isLong)
      if now != last { try wire.frame(now) }
      last = now
      if wire.isReadable(milliseconds: 10) { return }
    }
  }

  private func connect(_ address: String, _ wire: Wire) throws {
    try wire.write("OKAY")
    guard let phone = reachable.withLock({ $0[address] }) else {
      try wire.frame("failed to connect to '\(address)': Connection refused")
      return
    }
    let isThere = phones.withLock { phones in
      if phones.contains(where: { $0.serial == address }) { return true }
      phones.append(phone)
      return false
    }
    // A phone that asks its owner answers in the first moment as one that refuses.
    let isAsking = phone.state == "unauthorized"
    try wire.frame(
      isThere
        ? "already connected to \(address)"
        : isAsking ? "failed to authenticate to \(address)" : "connected to \(address)"
    )
  }

  /// A phone that can be used; otherwise the server's refusal is sent.
  private func usable(_ serial: String, _ wire: Wire) throws -> EmulatedPhone? {
    guard let phone = phones.withLock({ $0.first { $0.serial == serial } }), let state = phone.state
    else {
      try fail("device '\(serial)' not found", wire)
      return nil
    }
    switch state {
    case "device": return phone
    case "unauthorized":
      try fail(
        "device unauthorized.\nThis adb server's $ADB_VENDOR_KEYS is not set\n"
          + "Try 'adb kill-server' if that seems wrong.\n"
          + "Otherwise check for a confirmation dialog on your device.",
        wire
      )
    default: try fail("device \(state)", wire)
    }
    return nil
  }

  private func ofSerial(_ text: String, _ wire: Wire) throws {
    for word in [":features", ":forward:", ":killforward:"] {
      guard let range = text.firstRange(of: word) else { continue }
      guard let phone = try usable(String(text[..<range.lowerBound]), wire) else { return }
      let rest = text[range.upperBound...]
      try wire.write("OKAY")
      switch word {
      case ":features": try wire.frame(phone.features)
      case ":forward:":
        let target = rest.split(separator: ":").last.flatMap { Int($0) } ?? 0
        let port = 40_000 + forwards.withLock { $0.count }
        forwards.withLock { $0[port] = (phone.serial, target) }
        try wire.write("OKAY")
        try wire.frame("\(port)")
      default:
        let port = rest.split(separator: ":").last.flatMap { Int($0) } ?? 0
        let isThere = forwards.withLock { $0.removeValue(forKey: port) } != nil
        if isThere { try wire.write("OKAY") } else { try fail("listener not found", wire) }
      }
      return
    }
    try fail("unknown host service", wire)
  }

  private func transport(_ serial: String, _ wire: Wire) throws {
    guard let phone = try usable(serial, wire) else { return }
    try wire.write("OKAY")
    if phone.faults.withLock({ $0.isTornDown }) { return }
    wire.limit(phone.fate())
    do {
      let service = try request(wire)
      switch service {
      case "sync:":
        try wire.write("OKAY")
        try phone.serveFiles(wire)
      case _ where service.hasPrefix("shell,v2,raw:"):
        try wire.write("OKAY")
        try phone.serveShell(String(service.dropFirst(13)), wire)
      default: try fail("closed", wire)
      }
    } catch is Wire.Cut {
      wire.cut()
      phone.wasCut()
    }
  }
}
