import AssayBase
import AssayHost
import CMicroHTTPD

/// An HTTP server by libmicrohttpd: a few threads, each with any number of connections.
// Safe because: everything is set before the first request, and libmicrohttpd may be called from any
// thread.
@safe final class HTTPServer: @unchecked Sendable {
  /// What a server may use.
  struct Limits: Sendable {
    var threads = 4
    /// Connections at a time.
    var connections = 1000
    /// Seconds after which a connection that sends and takes nothing is closed.
    var timeout = 30
    /// Bytes of a request's head.
    var head = 64 << 10
  }

  /// The port that it listens on.
  private(set) var port: Int = 0
  private let library: HTTPLibrary
  private let handler: any HTTPHandler
  private let hubs: [EventHub]
  private var daemon: UnsafeMutableRawPointer?

  /// Starts a server.
  ///
  /// - Parameters:
  ///   - address: numeric.
  ///   - port: 0 for any that is free.
  ///   - hubs: the streams that `stop` has to end.
  /// - Throws: `Diagnostic` EXP001 without libmicrohttpd, EXP002 when it cannot listen.
  init(
    address: String,
    port: Int,
    limits: Limits = Limits(),
    hubs: [EventHub] = [],
    handler: any HTTPHandler
  ) throws {
    library = try HTTPLibrary.shared.get()
    self.handler = handler
    self.hubs = hubs
    guard let number = UInt16(exactly: port) else {
      throw Diagnostic("EXP002", "\(port) is no port", remedy: "give a number up to 65535")
    }
    var error: Int32 = 0
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe daemon = address.withCString { text in
      var options = unsafe CMHDOptions(
        address: text,
        port: number,
        threads: UInt32(limits.threads),
        connections: UInt32(limits.connections),
        timeout: UInt32(limits.timeout),
        memory: limits.head
      )
      var table = unsafe library.table
      return unsafe cmhd_start(
        &table,
        &options,
        HTTPServer.received,
        HTTPServer.completed,
        context,
        &error
      )
    }
    guard let daemon = unsafe daemon else {
      throw Diagnostic(
        "EXP002",
        "nothing can listen on \(address), port \(port)",
        remedy: "another server may run there; choose another port with --port",
        cause: error == 0 ? nil : unsafe String(cString: cmhd_words(error))
      )
    }
    var table = unsafe library.table
    self.port = Int(unsafe cmhd_port(&table, daemon))
  }

  /// Ends every connection and the server.
  func stop() {
    guard let daemon = unsafe daemon else { return }
    unsafe self.daemon = nil
    for hub in hubs { hub.close() }
    unsafe library.table.MHD_stop_daemon(daemon)
  }

  deinit { stop() }

  // MARK: Requests

  private static let received: CMHDHandler = {
    context,
    connection,
    path,
    method,
    _,
    piece,
    pieceSize,
    slot in
    guard let context = unsafe context, let connection = unsafe connection,
      let pieceSize = unsafe pieceSize, let slot = unsafe slot
    else { return Int32(CMHD_NO) }
    let server = unsafe Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue()
    guard let opaque = unsafe slot.pointee else {
      guard let path = unsafe path, let method = unsafe method else { return Int32(CMHD_NO) }
      let exchange = unsafe Exchange(
        server.head(connection, String(cString: path), String(cString: method)),
        server.handler
      )
      unsafe slot.pointee = Unmanaged.passRetained(exchange).toOpaque()
      // An answer that needs no body is sent before the body, which may be huge, has come.
      guard let response = exchange.refusal else { return Int32(CMHD_YES) }
      return unsafe server.send(response, connection, deflates: false)
    }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(opaque).takeUnretainedValue()
    if unsafe pieceSize.pointee > 0, let piece = unsafe piece {
      let bytes = unsafe UnsafeRawBufferPointer(start: piece, count: pieceSize.pointee)
      let goesOn = unsafe exchange.take(Array(bytes))
      unsafe pieceSize.pointee = 0
      return Int32(goesOn ? CMHD_YES : CMHD_NO)
    }
    return unsafe server.send(exchange.answer(), connection, deflates: exchange.acceptsGzip)
  }

  private static let completed: CMHDCompleted = { _, _, slot, _ in
    guard let slot = unsafe slot, let opaque = unsafe slot.pointee else { return }
    unsafe slot.pointee = nil
    unsafe Unmanaged<Exchange>.fromOpaque(opaque).takeRetainedValue().end()
  }

  private func head(
    _ connection: UnsafeMutableRawPointer,
    _ path: String,
    _ method: String
  ) -> HTTPRequest {
    let pairs = Pairs()
    let each: CMHDPair = { context, kind, name, value in
      guard let context = unsafe context, let name = unsafe name else { return Int32(CMHD_NO) }
      let pairs = unsafe Unmanaged<Pairs>.fromOpaque(context).takeUnretainedValue()
      let text = unsafe value.map { unsafe String(cString: $0) } ?? ""
      let key = unsafe String(cString: name)
      if kind == Int32(CMHD_HEADERS) {
        let old = pairs.headers[key.lowercased()]
        pairs.headers[key.lowercased()] = old.map { "\($0), \(text)" } ?? text
      } else if pairs.query.count < 1000 {
        pairs.query.append((name: key, value: text))
      }
      return Int32(CMHD_YES)
    }
    let context = unsafe Unmanaged.passUnretained(pairs).toOpaque()
    for kind in [CMHD_HEADERS, CMHD_QUERY] {
      _ = unsafe library.table.MHD_get_connection_values(connection, Int32(kind), each, context)
    }
    return HTTPRequest(method: method, path: path, query: pairs.query, headers: pairs.headers)
  }

  // MARK: Answers

  private func send(
    _ given: HTTPResponse,
    _ connection: UnsafeMutableRawPointer,
    deflates: Bool
  ) -> Int32 {
    let table = unsafe library.table
    let response = deflates ? given.deflated() : given
    guard let made = unsafe make(response, connection) else { return Int32(CMHD_NO) }
    defer { unsafe table.MHD_destroy_response(made) }
    let policy = response.isFramed ? HTTPServer.framePolicy : HTTPServer.policy
    let headers =
      [("Content-Security-Policy", policy), ("Content-Type", response.type)]
      + HTTPServer.fixedHeaders + response.headers.map { ($0.name, $0.value) }
    for (name, value) in headers {
      unsafe _ = table.MHD_add_response_header(made, name, value)
    }
    return unsafe table.MHD_queue_response(connection, UInt32(response.status), made)
  }

  /// Nothing of the page may come from elsewhere, and no other page may show it or read it.
  private static let policy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    + "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  private static let framePolicy =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    + "sandbox allow-scripts; frame-ancestors 'self'"
  private static let fixedHeaders: [(String, String)] = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
  ]

  private func make(
    _ response: HTTPResponse,
    _ connection: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer? {
    let table = unsafe library.table
    switch response.body {
    case .bytes(var bytes):
      return unsafe bytes.withUnsafeMutableBytes {
        unsafe table.MHD_create_response_from_buffer($0.count, $0.baseAddress, copied)
      }
    case .page(let page):
      return unsafe page.withBytes { bytes in
        // Mode 0: the bytes are the program's own and are only read.
        unsafe table.MHD_create_response_from_buffer(
          bytes.count,
          UnsafeMutableRawPointer(mutating: bytes.baseAddress),
          0
        )
      }
    case .view(let view):
      return unsafe view.withUnsafeBytes { bytes in
        unsafe table.MHD_create_response_from_buffer(
          bytes.count,
          UnsafeMutableRawPointer(mutating: bytes.baseAddress),
          copied
        )
      }
    case .events(let hub):
      return unsafe stream(hub, connection)
    }
  }

  private func stream(
    _ hub: EventHub,
    _ connection: UnsafeMutableRawPointer
  ) -> UnsafeMutableRawPointer? {
    let link = unsafe Connection(connection)
    let library = library
    let viewer = EventViewer(
      // Told at once, so that the page knows that it is connected.
      first: Array(":\n\n".utf8),
      sleep: { unsafe library.table.MHD_suspend_connection(link.pointer) },
      wake: { unsafe library.table.MHD_resume_connection(link.pointer) }
    )
    hub.add(viewer)
    let context = unsafe Unmanaged.passRetained(Subscription(hub, viewer)).toOpaque()
    let reader: CMHDReader = { context, _, buffer, capacity in
      guard let context = unsafe context, let buffer = unsafe buffer else { return -1 }
      let subscription = unsafe Unmanaged<Subscription>.fromOpaque(context).takeUnretainedValue()
      guard let bytes = subscription.viewer.next(capacity) else { return -1 }
      unsafe UnsafeMutableRawBufferPointer(start: buffer, count: capacity).copyBytes(from: bytes)
      return bytes.count
    }
    let free: CMHDFree = { context in
      guard let context = unsafe context else { return }
      let subscription = unsafe Unmanaged<Subscription>.fromOpaque(context).takeRetainedValue()
      subscription.hub.remove(subscription.viewer)
    }
    return unsafe library.table.MHD_create_response_from_callback(
      UInt64.max,
      4096,
      reader,
      context,
      free
    )
  }
}

/// libmicrohttpd copies the bytes.
private let copied = Int32(CMHD_MUST_COPY)

private final class Pairs {
  var headers: [String: String] = [:]
  var query: [(name: String, value: String)] = []
}

private final class Subscription {
  let hub: EventHub
  let viewer: EventViewer

  init(_ hub: EventHub, _ viewer: EventViewer) {
    self.hub = hub
    self.viewer = viewer
  }
}

// Safe because: the connection lives as long as the response that holds it.
/// A connection of libmicrohttpd.
@safe private final class Connection: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  init(_ pointer: UnsafeMutableRawPointer) { unsafe self.pointer = pointer }
}

/// A request on its way; used by one thread at a time.
private final class Exchange {
  private var request: HTTPRequest
  private let handler: any HTTPHandler
  private let plan: BodyPlan
  private var received = 0
  private var fault: HTTPResponse?

  init(_ request: HTTPRequest, _ handler: any HTTPHandler) {
    self.request = request
    self.handler = handler
    plan = handler.plan(request)
  }

  /// Whether the client can read gzip (RFC 9110, 12.5.3).
  var acceptsGzip: Bool {
    let words = request.headers["accept-encoding"] ?? ""
    return words.split(separator: ",").contains { word in
      let parts = word.split(separator: ";").map { $0.filter { $0 != " " } }
      return parts.first == "gzip" && !parts.dropFirst().contains { $0.hasPrefix("q=0") }
    }
  }

  var refusal: HTTPResponse? {
    if case .refuse(let response) = plan { response } else { nil }
  }

  /// Takes a piece of the body; `false` ends the connection.
  func take(_ bytes: [UInt8]) -> Bool {
    received += bytes.count
    switch plan {
    case .refuse: return true
    case .memory(let limit):
      guard fits(limit) else { return received < limit + (1 << 20) }
      request.body += bytes
    case .file(let path, let limit):
      guard fits(limit) else { return received < limit + (1 << 20) }
      do {
        try Host.append(bytes, to: path)
        request.file = path
      } catch {
        fault = .fault(
          507,
          error as? Diagnostic ?? Diagnostic("EXP008", "the file cannot be kept")
        )
      }
    }
    return true
  }

  private func fits(_ limit: Int) -> Bool {
    if received > limit { fault = .tooLarge(limit) }
    return fault == nil
  }

  func answer() -> HTTPResponse { refusal ?? fault ?? handler.respond(request) }

  /// The file of a body that was not taken over is removed.
  func end() {
    if case .file(let path, _) = plan { try? Host.remove(path) }
  }
}

extension HTTPResponse {
  /// A body above a limit.
  static func tooLarge(_ limit: Int) -> HTTPResponse {
    .fault(
      413,
      Diagnostic(
        "EXP006",
        "this is more than may be sent",
        remedy: "at most \(Words.bytes(limit))"
      )
    )
  }
}
