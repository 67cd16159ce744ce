import AssayBase

/// The head of a request, with its body once that has come.
struct HTTPRequest: Sendable {
  var method: String
  /// The decoded path, with its leading slash.
  var path: String
  /// Arguments behind the question mark, in order.
  var query: [(name: String, value: String)]
  /// Headers by their lowercase names; several of one name are joined by commas.
  var headers: [String: String]
  /// What was sent; empty when it went to a file.
  var body: [UInt8] = []
  /// The file that the body was written to.
  var file: String?

  /// The first argument of a name.
  subscript(name: String) -> String? { query.first { $0.name == name }?.value }
  /// Every argument of a name.
  func all(_ name: String) -> [String] { query.filter { $0.name == name }.map(\.value) }
}

/// What is answered.
struct HTTPResponse: Sendable {
  enum Body: Sendable {
    case bytes([UInt8])
    /// Bytes that stay where they are for good.
    case page(ExplorerPages.Page)
    case view(ByteView)
    case events(EventHub)
  }

  var status: Int
  var type: String
  var headers: [(name: String, value: String)] = []
  var body: Body
  /// Whether it is a page of its own that the explorer shows in a frame: its scripts stand in it, and
  /// it may ask nothing of the server.
  var isFramed = false

  init(_ status: Int = 200, type: String, headers: [(String, String)] = [], _ body: Body) {
    self.status = status
    self.type = type
    self.headers = headers.map { (name: $0.0, value: $0.1) }
    self.body = body
  }

  /// A JSON answer.
  static func json(_ json: JSON, status: Int = 200) -> HTTPResponse {
    HTTPResponse(status, type: "application/json", .bytes(Array(json.text().utf8)))
  }

  /// A fault, in the form of the command's own.
  static func fault(_ status: Int, _ diagnostic: Diagnostic) -> HTTPResponse {
    .json(.object(["error": .array([diagnostic.json])]), status: status)
  }
}

/// What happens to a request's body.
enum BodyPlan: Sendable {
  /// It is kept in memory, up to so many bytes.
  case memory(limit: Int)
  /// It is written to a new file, up to so many bytes.
  case file(path: String, limit: Int)
  /// The answer is known without it.
  case refuse(HTTPResponse)
}

/// Answers requests; called on several threads.
protocol HTTPHandler: AnyObject, Sendable {
  /// Decides by the head of a request what to do with its body.
  func plan(_ request: HTTPRequest) -> BodyPlan
  /// Answers a request whose body has come.
  func respond(_ request: HTTPRequest) -> HTTPResponse
}
