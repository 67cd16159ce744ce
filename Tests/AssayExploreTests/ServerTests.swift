import AssayBase
import AssayFigures
import AssayHost
import AssayTestSupport
import Testing

@testable import AssayExplore

private let isThere = Explorer.probe().isAvailable

/// Whether tests are built for release: long ones are whole then.
private let isOptimized: Bool = {
  #if DEBUG
  false
  #else
  true
  #endif
}()

/// Thousands of malformed requests: each is answered by its status, and no memory is left behind.
private func sendMalformedRequests() throws {
  let served = try Served()
  var random = SeededRNG(seed: 11)
  let lines = [
    "GET /", "GET / HTTP/1.", "GET /\u{1} HTTP/1.1", "\u{0}\u{1}\u{2} / HTTP/1.1",
    "GET /nothing HTTP/1.1", "POST /api/jobs HTTP/1.1", "BREW /pot HTTP/1.1",
    "GET /api/view?x=%zz&brush.x=a&brush.y=b HTTP/1.1", "GET /api/record?id=' HTTP/1.1",
  ]
  func one() throws -> Int {
    let client = try RawClient(port: served.port)
    var bytes = Array(lines[Int.random(in: lines.indices, using: &random)].utf8)
    bytes += Array("\r\nHost: localhost\r\n".utf8)
    for _ in 0..<Int.random(in: 0..<4, using: &random) {
      bytes += (0..<20).map { _ in UInt8.random(in: 33...255, using: &random) } + [13, 10]
    }
    client.send(bytes + Array("Connection: close\r\n\r\n".utf8))
    let text = client.receiveAll()
    return Int(text.dropFirst(9).prefix(3)) ?? 0
  }
  for _ in 0..<500 { _ = try one() }
  let before = residentBytes()
  var others: [Int: Int] = [:]
  for _ in 0..<(isOptimized ? 10_000 : 2_000) {
    let status = try one()
    if !(400..<500).contains(status) { others[status, default: 0] += 1 }
  }
  #expect(others.isEmpty, "\(others)")
  // A version that is not known has a status of its own.
  let client = try RawClient(port: served.port)
  client.send("GET / HTTP/9.9\r\nHost: localhost\r\n\r\n")
  #expect(client.receiveAll().hasPrefix("HTTP/1.1 505"))
  #expect(residentBytes() - before < 8 << 20)
  #expect(try served.get("/api/table") == 200)
}

/// Resident memory of this process.
private func residentBytes() -> Int {
  let fields = (Host.smallText("/proc/self/statm") ?? "").split(separator: " ")
  return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * 4096
}

/// A served explorer, ended with the test.
private final class Served {
  let explorer: Explorer
  let bench: FakeBench
  let folder: String
  var port: Int { explorer.port }

  init(token: String? = nil, timeout: Int = 30, left: [LeftOverJob] = []) throws {
    folder = try Host.makeTemporaryFolder("explore")
    bench = FakeBench(folder, left: left)
    var options = Explorer.Options()
    options.port = 0
    options.token = token
    options.timeout = timeout
    options.uploadLimit = 100_000
    explorer = try Explorer(.table(smallTable(), name: "small"), bench: bench, options: options)
    _ = try explorer.start()
  }

  deinit {
    bench.hold(false)
    explorer.stop()
    try? Host.remove(folder)
  }

  func get(_ path: String, _ headers: [String] = []) throws -> Int {
    try RawClient.ask(port, "GET \(path)", headers: headers).status
  }

  func post(
    _ path: String,
    _ json: String,
    _ headers: [String] = []
  ) throws -> (
    status: Int, text: String
  ) {
    try RawClient.ask(
      port,
      "POST \(path)",
      headers: ["Content-Type: application/json"] + headers,
      body: Array(json.utf8)
    )
  }
}

/// The server from outside: what it answers, and what it refuses.
@Suite(.enabled(if: isThere, "libmicrohttpd is not installed: make setup"), .serialized)
struct ServerTests {
  @Test func pagesAndData() throws {
    let served = try Served()
    for path in ["/", "/explorer.js", "/explorer.css", "/api/table", "/api/view", "/api/jobs"] {
      #expect(try served.get(path) == 200, "\(path)")
    }
    let page = try RawClient.ask(served.port, "GET /").text
    #expect(page.contains("default-src 'self'") && page.contains("nosniff"))
    #expect(try served.get("/api/model?name=small") == 200)
    #expect(try served.get("/api/model?name=none") == 404)
    #expect(try served.get("/api/view?x=none") == 400)
    #expect(try served.get("/plotly.min.js") == 404)
    let head = try RawClient.ask(served.port, "HEAD /").text
    #expect(head.hasPrefix("HTTP/1.1 200") && head.hasSuffix("\r\n\r\n"))
  }

  @Test func namesStayText() throws {
    let served = try Served()
    let text = try RawClient.ask(served.port, "GET /api/view").text
    #expect(text.contains("application/json") && text.contains("<img src=x"))
    let csv = try RawClient.ask(served.port, "GET /api/table.csv?environment=desktop").text
    #expect(csv.contains("attachment") && csv.contains("<img src=x onerror=alert(1)>,desktop"))
  }

  @Test(
    arguments: [
      "/../etc/passwd", "/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd",
      "/explorer.js/../../etc/passwd", "/pages%00/../index.html", "/pages/index.html", "/%ff",
    ]
  )
  func pathsLeadNowhere(path: String) throws {
    let served = try Served()
    #expect((400..<500).contains(try served.get(path)), "\(path)")
  }

  @Test func otherSitesAreRefused() throws {
    let served = try Served()
    let json = #"{"method":"strep"}"#
    #expect(try served.post("/api/settings", json).status == 200)
    #expect(try served.post("/api/settings", json, ["Origin: http://evil.example"]).status == 403)
    #expect(try served.post("/api/settings", json, ["Origin: null"]).status == 403)
    #expect(try served.post("/api/settings", json, ["Sec-Fetch-Site: cross-site"]).status == 403)
    #expect(try served.post("/api/settings", json, ["Origin: http://localhost"]).status == 200)
    #expect(try served.get("/api/table", ["Sec-Fetch-Site: cross-site"]) == 403)
    // A name that points here by someone else's hand.
    let rebound = try RawClient.ask(served.port, "GET /api/table", host: "evil.example")
    #expect(rebound.status == 403)
    #expect(try RawClient.ask(served.port, "GET /", host: "localhost.evil.example").status == 403)
    // What a form can send without being asked first.
    let form = try RawClient.ask(
      served.port,
      "POST /api/settings",
      headers: ["Content-Type: text/plain"],
      body: Array(json.utf8)
    )
    #expect(form.status == 415)
    #expect(try RawClient.ask(served.port, "DELETE /api/table").status == 405)
  }

  @Test func aTokenIsNeededWhereOthersReach() throws {
    var options = Explorer.Options()
    options.address = "0.0.0.0"
    #expect(throws: Diagnostic.self) {
      try Explorer(.table(smallTable(), name: "small"), options: options)
    }
    let served = try Served(token: "open-sesame")
    #expect(try served.get("/") == 401)
    #expect(try served.get("/api/table") == 401)
    #expect(try served.get("/?token=guess") == 401)
    let entry = try RawClient.ask(served.port, "GET /?token=open-sesame")
    #expect(entry.status == 303 && entry.text.contains("HttpOnly; SameSite=Strict"))
    #expect(try served.get("/api/table", ["Cookie: assay_token=open-sesame"]) == 200)
    #expect(try served.get("/api/table", ["Authorization: Bearer open-sesame"]) == 200)
    #expect(try served.get("/api/table", ["Cookie: assay_token=other"]) == 401)
  }

  @Test func bodiesHaveLimits() throws {
    let served = try Served()
    let long = "POST /api/settings"
    let declared = try RawClient.ask(
      served.port,
      long,
      headers: ["Content-Type: application/json", "Content-Length: 99999999999"]
    )
    #expect(declared.status == 413)
    let upload = ["Content-Type: application/octet-stream"]
    let huge = [UInt8](repeating: 65, count: 150_000)
    // In pieces whose sum nobody has told.
    let client = try RawClient(port: served.port)
    client.send(
      "POST /api/upload?name=model.tflite HTTP/1.1\r\nHost: localhost\r\n"
        + "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n"
        + "Connection: close\r\n\r\n249f0\r\n"
    )
    client.send(huge)
    client.send("\r\n0\r\n\r\n")
    #expect(client.receiveAll().hasPrefix("HTTP/1.1 413"))
    let fine = [UInt8](repeating: 66, count: 50_000)
    func put(_ name: String, _ body: [UInt8]) throws -> Int {
      try RawClient.ask(
        served.port,
        "POST /api/upload?name=\(name)",
        headers: upload,
        body: body
      ).status
    }
    #expect(try put("model.tflite", huge) == 413)
    #expect(try put("..%2fmodel.tflite", fine) == 400)
    #expect(try put("model.tflite", fine) == 201)
    #expect(try put("model.tflite", fine) == 400, "a file is not replaced")
    #expect(try MappedFile(path: Host.join(served.folder, "model.tflite")).view.array == fine)
    // Nothing is left of what was refused.
    #expect(try Host.list(served.folder) == ["model.tflite"])
    #expect(try served.post("/api/settings", "{").status == 400)
    let deep = String(repeating: "[", count: 100_000)
    #expect(try served.post("/api/settings", deep).status == 400)
  }

  @Test func slowClientsHoldNobodyUp() throws {
    let served = try Served(timeout: 1)
    let slow = try (0..<60).map { _ in try RawClient(port: served.port) }
    for client in slow { client.send("GET / HTTP/1.1\r\nHost: local") }
    #expect(try served.get("/api/table") == 200)
    // They are let go after the time that a silent connection has.
    #expect(slow.allSatisfy { $0.receive(milliseconds: 60_000) != nil })
  }

  @Test func malformedRequestsAreAnsweredAndLeaveNothing() async {
    // In a process of its own: the memory of this one is that of all tests that run beside it.
    await #expect(processExitsWith: .success) { try sendMalformedRequests() }
  }

  @Test func jobsAreToldToAllViewers() throws {
    let served = try Served()
    let viewers = try (0..<3).map { _ in try RawClient(port: served.port) }
    for viewer in viewers {
      viewer.send("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(viewer.receive() != nil)
    }
    served.bench.hold(true)
    #expect(try served.post("/api/jobs", #"{"title":"first"}"#).status == 202)
    #expect(try served.post("/api/jobs", #"{"title":"second"}"#).status == 202)
    #expect(try served.post("/api/jobs", #"{"title":"third","fails":true}"#).status == 202)
    #expect(try served.post("/api/jobs", "{}").status == 400)
    #expect(try served.post("/api/jobs/cancel", #"{"id":2}"#).status == 200)
    #expect(try served.post("/api/jobs/cancel", #"{"id":9}"#).status == 404)
    served.bench.hold(false)
    for viewer in viewers {
      var text = ""
      while !text.contains(#""state":"failed""#), let more = viewer.receive(), !more.isEmpty {
        text += String(decoding: more, as: UTF8.self)
      }
      #expect(text.contains("event: job") && text.contains(#""answer":42"#))
      #expect(text.contains(#""title":"second","state":"canceled""#))
      #expect(text.contains("the job is made to fail"))
    }
    let jobs = try RawClient.ask(served.port, "GET /api/jobs").text
    #expect(jobs.contains(#""state":"done""#))
  }

  @Test func aRunningJobCanBeGivenUp() throws {
    let served = try Served()
    served.bench.hold(true)
    #expect(try served.post("/api/jobs", #"{"title":"long"}"#).status == 202)
    func state(_ word: String) throws -> Bool {
      try RawClient.ask(served.port, "GET /api/jobs").text.contains("\"state\":\"\(word)\"")
    }
    #expect(try eventually { try state("running") })
    #expect(try served.post("/api/jobs/cancel", #"{"id":1}"#).status == 200)
    #expect(try eventually { try state("canceled") })
  }

  @Test func jobsAreInTheLedgerBeforeTheyWait() throws {
    let left = LeftOverJob(
      entry: "entry of before",
      title: "before",
      request: .object(["title": "before"])
    )
    let served = try Served(left: [left])
    func jobs() throws -> String { try RawClient.ask(served.port, "GET /api/jobs").text }
    #expect(try eventually { try jobs().contains(#""title":"before","state":"done""#) })
    served.bench.hold(true)
    for title in ["one", "two"] {
      #expect(try served.post("/api/jobs", "{\"title\":\"\(title)\"}").status == 202)
    }
    #expect(try served.post("/api/jobs", #"{"title":"three","kind":"detect"}"#).status == 202)
    #expect(try served.post("/api/jobs/cancel", #"{"id":3}"#).status == 200)
    served.bench.hold(false)
    #expect(try eventually { try jobs().contains(#""title":"three","state":"done""#) })
    let lines = served.bench.ledgerLines
    // One may run before or after the others are enrolled; what was canceled never runs.
    #expect(
      lines.filter { !$0.hasPrefix("ran") } == [
        "enrolled one", "enrolled two", "enrolled three", "withdrawn entry of two",
      ],
      "\(lines)"
    )
    #expect(
      lines.filter { $0.hasPrefix("ran") } == [
        "ran entry of before", "ran entry of one", "ran entry of three",
      ],
      "\(lines)"
    )
    // What others do with the ledger is told, too.
    #expect(try RawClient.ask(served.port, "GET /api/ledger").text.contains("a sweep"))
  }

  @Test func textsAreDeflatedForThoseWhoCanReadThat() throws {
    let served = try Served()
    func head(_ path: String, _ headers: [String]) throws -> String {
      try RawClient.ask(served.port, "GET \(path)", headers: headers).text
    }
    func length(_ text: String) -> Int {
      let line = text.split(separator: "\r\n").first { $0.hasPrefix("Content-Length:") } ?? ""
      return Int(line.drop { !$0.isNumber }) ?? 0
    }
    let plain = try head("/overview.js", [])
    #expect(!plain.contains("Content-Encoding") && plain.contains("export async function overview"))
    let small = try head("/overview.js", ["Accept-Encoding: gzip, br"])
    #expect(small.contains("Content-Encoding: gzip") && length(small) < length(plain) / 2)
    #expect(!(try head("/overview.js", ["Accept-Encoding: gzip;q=0"]).contains("Content-Encoding")))
    let view = try head("/api/view", ["Accept-Encoding: gzip"])
    #expect(view.contains("Content-Encoding: gzip") && view.contains("Vary: Accept-Encoding"))
  }

  @Test func whatIsTakenAlong() throws {
    let served = try Served()
    // A published table has no records; its rows have labels all the same.
    let label = try RawClient.ask(served.port, "GET /api/label?row=1&format=svg")
    if DrawingLibrary.allCases.allSatisfy({ $0.probe().isAvailable }) {
      #expect(label.status == 200 && label.text.contains("attachment"))
      #expect(label.text.contains("energy-label-middle-board.svg") && label.text.contains("<svg"))
      let pdf = try RawClient.ask(served.port, "GET /api/label?row=5&format=pdf")
      // The name of the file tells nothing that a system could take for more.
      #expect(pdf.text.contains("energy-label--img-src-x-onerror-alert-1---desktop.pdf"))
    } else {
      #expect(label.text.contains("FIG001"))
    }
    #expect(try served.get("/api/label?row=6") == 404)
    #expect(try served.get("/api/label?row=1&format=exe") == 400)
    #expect(try served.get("/api/label?id=none") == 404)
    #expect(try served.get("/api/comparison?format=html") == 404)
    #expect(try served.get("/api/comparison?format=exe") == 400)
    #expect(try served.get("/api/samples.csv?id=none") == 404)
    #expect(try served.get("/api/difference?a=x&b=y") == 404)
  }

  @Test func settingsChangeRatingsForAll() throws {
    let served = try Served()
    func letters() throws -> String { try RawClient.ask(served.port, "GET /api/view").text }
    let before = try letters()
    let weights = #"{"method":"edge-acc","weights":{"energy":1,"top1":0}}"#
    #expect(try served.post("/api/settings", weights).status == 200)
    #expect(try letters() != before)
    #expect(try served.post("/api/settings", #"{"weights":{"none":1}}"#).status == 400)
    #expect(
      try served.post("/api/settings", #"{"method":"strep","index":"centered"}"#).status == 400
    )
  }

  @Test func twoServersCannotShareAPort() throws {
    let served = try Served()
    var options = Explorer.Options()
    options.port = served.port
    let other = try Explorer(.table(smallTable(), name: "small"), options: options)
    #expect(throws: Diagnostic.self) { try other.start() }
  }
}
