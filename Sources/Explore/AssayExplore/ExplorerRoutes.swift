import AssayBase
import AssayHost
import AssayRecord

/// Which request is answered by what, and which is not answered.
final class ExplorerRoutes: HTTPHandler {
  /// Bytes of a JSON body.
  static let bodyLimit = 1 << 20
  private unowned let explorer: Explorer

  init(_ explorer: Explorer) { self.explorer = explorer }

  private var options: Explorer.Options { explorer.options }

  // MARK: What is let in

  func plan(_ request: HTTPRequest) -> BodyPlan {
    if let refusal = refusal(request) { return .refuse(refusal) }
    guard request.method == "POST" else { return .memory(limit: 0) }
    let isUpload = request.path == "/api/upload"
    let limit = isUpload ? options.uploadLimit : Self.bodyLimit
    if let text = request.headers["content-length"] {
      guard let count = Int(text), count >= 0 else {
        return .refuse(.fault(400, Diagnostic("EXP004", "the length is no number")))
      }
      if count > limit { return .refuse(.tooLarge(limit)) }
    }
    guard isUpload else { return .memory(limit: limit) }
    do {
      guard let bench = explorer.bench else { throw Self.showsOnly }
      let place = try bench.place(ofUpload: request["name"] ?? "")
      return .file(path: place + ".part-\(Host.monotonicNanoseconds())", limit: limit)
    } catch {
      return .refuse(answer(error))
    }
  }

  /// Why a request is not answered, if so.
  private func refusal(_ request: HTTPRequest) -> HTTPResponse? {
    guard ["GET", "HEAD", "POST"].contains(request.method) else {
      var response = HTTPResponse.fault(405, Diagnostic("EXP004", "only GET and POST are known"))
      response.headers.append((name: "Allow", value: "GET, HEAD, POST"))
      return response
    }
    let host = request.headers["host"] ?? ""
    // A name that someone else lets point at this machine is not ours (DNS rebinding).
    if Explorer.isLocal(options.address), !Self.isOurs(host, options.address) {
      return .fault(
        403,
        Diagnostic("EXP004", "the explorer is not served under this name", remedy: "use localhost")
      )
    }
    if let origin = request.headers["origin"], origin != "http://\(host)" {
      return .fault(403, Diagnostic("EXP004", "another site may not ask"))
    }
    let isOutside = ["cross-site", "same-site"].contains(request.headers["sec-fetch-site"] ?? "")
    if isOutside, request.headers["sec-fetch-mode"] != "navigate" || request.method == "POST" {
      return .fault(403, Diagnostic("EXP004", "another site may not ask"))
    }
    if let refusal = withoutToken(request) { return refusal }
    guard request.method == "POST" else { return nil }
    // Forms of other sites can send neither of these types without being asked first.
    let type = request.headers["content-type"]?.prefix { $0 != ";" }
    guard type == "application/json" || type == "application/octet-stream" else {
      return .fault(415, Diagnostic("EXP004", "only JSON and files are taken"))
    }
    return nil
  }

  private static func isOurs(_ host: String, _ address: String) -> Bool {
    var name = host[...]
    if name.hasPrefix("["), let end = name.firstIndex(of: "]") {
      name = name[...end]
    } else if let colon = name.lastIndex(of: ":") {
      name = name[..<colon]
    }
    return ["localhost", "127.0.0.1", "[::1]", address].contains(name.lowercased())
  }

  /// The refusal of a request that lacks the token; one that brings it in its address gets a cookie.
  private func withoutToken(_ request: HTTPRequest) -> HTTPResponse? {
    guard let token = options.token else { return nil }
    func isToken(_ text: Substring) -> Bool { sha256(String(text)) == sha256(token) }
    let cookies = (request.headers["cookie"] ?? "").split(separator: ";")
    let name = "assay_token="
    for cookie in cookies {
      let cookie = cookie.drop { $0 == " " }
      if cookie.hasPrefix(name), isToken(cookie.dropFirst(name.count)) { return nil }
    }
    if let header = request.headers["authorization"], header.hasPrefix("Bearer "),
      isToken(header.dropFirst(7))
    {
      return nil
    }
    if request.method == "GET", request.path == "/", let given = request["token"],
      isToken(given[...])
    {
      return HTTPResponse(
        303,
        type: "text/plain",
        headers: [
          ("Location", "/"),
          ("Set-Cookie", "\(name)\(token); HttpOnly; SameSite=Strict; Path=/"),
        ],
        .bytes([])
      )
    }
    return .fault(
      401,
      Diagnostic("EXP004", "a token is needed", remedy: "open the address that assay serve printed")
    )
  }

  // MARK: Answers

  private static let showsOnly = Diagnostic(
    "EXP005",
    "this explorer only shows",
    remedy: "assay serve without --read-only"
  )

  func respond(_ request: HTTPRequest) -> HTTPResponse {
    do {
      return request.method == "POST" ? try post(request) : try get(request)
    } catch {
      return answer(error)
    }
  }

  private func answer(_ error: any Error) -> HTTPResponse {
    let faults = (error as? Diagnostics)?.all ?? [error as? Diagnostic].compactMap(\.self)
    guard let first = faults.first else {
      return .fault(500, Diagnostic("EXP009", "the explorer failed", cause: "\(error)"))
    }
    let status =
      switch first.code {
      case "EXP005": 404
      case "EXP007": 429
      case let code where code.hasPrefix("STO"): 500
      default: 400
      }
    return .json(.object(["error": .array(faults.map(\.json))]), status: status)
  }

  private static let noStore = [("Cache-Control", "no-store")]

  private func get(_ request: HTTPRequest) throws -> HTTPResponse {
    let name = request.path == "/" ? "index.html" : String(request.path.dropFirst())
    if name == "index.html" {
      return HTTPResponse(
        type: "text/html; charset=utf-8",
        headers: [("Cache-Control", "no-cache")],
        .bytes(ExplorerPages.index(hasCharts: options.plotly != nil))
      )
    }
    if let page = ExplorerPages.all[name] {
      return HTTPResponse(type: page.type, headers: [("Cache-Control", "no-cache")], .page(page))
    }
    var response: HTTPResponse
    switch request.path {
    case "/plotly.min.js":
      guard let path = options.plotly else { throw Self.unknown(request.path) }
      let view = try MappedFile(path: path).view
      return HTTPResponse(
        type: ExplorerPages.type(of: name),
        headers: [("Cache-Control", "max-age=86400")],
        .view(view)
      )
    case "/api/table": response = .json(explorer.tableJSON())
    case "/api/view":
      response = HTTPResponse(type: "application/json", .bytes(try explorer.view(request)))
    case "/api/model": response = .json(try explorer.modelJSON(request["name"] ?? ""))
    case "/api/record": response = .json(try explorer.recordJSON(request["id"] ?? ""))
    case "/api/table.csv":
      let query = try ViewQuery(request, explorer.rated.table)
      response = HTTPResponse(
        type: ExplorerPages.type(of: "table.csv"),
        headers: [Self.download("assay-table.csv")],
        .bytes(Array(explorer.csv(query).utf8))
      )
    case "/api/label": response = Self.answer(try explorer.label(request), request)
    case "/api/samples.csv": response = Self.answer(try explorer.samples(request), request)
    case "/api/comparison": response = Self.answer(try explorer.comparison(request), request)
    case "/api/difference": response = .json(try explorer.difference(request))
    case "/api/ledger": response = .json(explorer.bench?.ledger() ?? .array([]))
    case "/api/network":
      guard let bench = explorer.bench else { throw Self.showsOnly }
      func record(_ name: String) throws -> Record {
        let id = request[name] ?? ""
        guard let record = try explorer.record(id) else { throw Self.unknown(id) }
        return record
      }
      let original = request["original"] == nil ? nil : try record("original")
      let text = try bench.networkPage(try record("id"), original: original)
      response = HTTPResponse(type: "text/html; charset=utf-8", .bytes(Array(text.utf8)))
      response.isFramed = true
    case "/api/bench":
      guard let bench = explorer.bench else { throw Self.showsOnly }
      response = .json(bench.inventory())
    case "/api/picture":
      guard let bench = explorer.bench else { throw Self.showsOnly }
      let picture = request["name"] ?? ""
      let view = try bench.picture(picture)
      response = HTTPResponse(type: ExplorerPages.type(of: picture.lowercased()), .view(view))
    case "/api/jobs": response = .json(explorer.queue?.json ?? .array([]))
    case "/api/events":
      response = HTTPResponse(type: "text/event-stream", .events(explorer.hub))
    default: throw Self.unknown(request.path)
    }
    response.headers += Self.noStore.map { (name: $0.0, value: $0.1) }
    return response
  }

  /// A file: shown in the page, or taken along where the request says so.
  private static func answer(
    _ made: Explorer.Download,
    _ request: HTTPRequest
  ) -> HTTPResponse {
    HTTPResponse(
      type: made.type,
      headers: request["shown"] == nil ? [download(made.name)] : [],
      .bytes(made.bytes)
    )
  }

  private static func unknown(_ what: String) -> Diagnostic {
    Diagnostic("EXP005", "there is nothing called '\(Words.printable(String(what.prefix(200))))'")
  }

  private static func download(_ name: String) -> (String, String) {
    ("Content-Disposition", "attachment; filename=\"\(name)\"")
  }

  private func post(_ request: HTTPRequest) throws -> HTTPResponse {
    if request.path == "/api/upload" { return try upload(request) }
    let json = try JSON(parsing: request.body)
    switch request.path {
    case "/api/settings":
      try explorer.apply(try ExplorerSettings(json: json))
      return .json(explorer.tableJSON())
    case "/api/jobs":
      guard let queue = explorer.queue else { throw Self.showsOnly }
      return .json(.object(["id": JSON(try queue.add(json))]), status: 202)
    case "/api/jobs/cancel":
      guard let queue = explorer.queue else { throw Self.showsOnly }
      guard let id = json["id"]?.int, queue.cancel(id) else { throw Self.unknown("that job") }
      return .json(.object(["id": JSON(id)]))
    default: throw Self.unknown(request.path)
    }
  }

  private func upload(_ request: HTTPRequest) throws -> HTTPResponse {
    guard let bench = explorer.bench else { throw Self.showsOnly }
    let place = try bench.place(ofUpload: request["name"] ?? "")
    guard let file = request.file else {
      throw Diagnostic("EXP006", "the file is empty", remedy: "drop a file with content")
    }
    // A file that is there is not replaced: records name it by its content.
    guard !Host.exists(place) else {
      throw Diagnostic(
        "EXP006",
        "there is a file of this name already",
        at: [Host.name(of: place)],
        remedy: "rename yours"
      )
    }
    try Host.replaceFolder(place, with: file)
    explorer.hub.publish("bench", .null)
    return .json(.object(["name": .string(Host.name(of: place))]), status: 201)
  }
}
