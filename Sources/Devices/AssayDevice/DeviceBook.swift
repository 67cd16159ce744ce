import AssayBase
import AssayHost

/// What the user noted of one device.
public struct DeviceSettings: Sendable, Equatable {
  /// The name in the configuration file.
  public var name: String?
  /// The folder of the device below which ours are made; `nil` for the driver's.
  public var root: String?
  /// Further options of `ssh`, each a word, such as `-F` and a file.
  public var sshOptions: [String] = []
  /// The hub's port that feeds it, as `uhubctl -l LOCATION -p PORT` takes them.
  public var hubLocation: String?
  public var hubPort: Int?
  /// A command of the user's that brings the device back, each a word.
  public var hook: [String] = []
  /// A program that speaks the runner's lines, with its arguments.
  public var program: [String] = []
  /// Libraries of the device by name, such as `edgetpu`, where its loader does not find them by itself.
  public var libraries: [String: String] = [:]
  /// Seconds after which a silent device counts as lost; `nil` for what each action asks for.
  public var patience: Double?
  /// Seconds after which the device removes by itself what we left there when we are gone.
  public var grace: Double?

  /// Settings of nothing.
  public init() {}
}

/// The devices that the user has named, from `devices.json` in Assay's home.
///
/// `{"devices": {"pi": {"address": "ssh:pi@raspberrypi.local", "root": "/tmp", "ssh": ["-F", "file"],
/// "hub": {"location": "1-1", "port": 2}, "hook": ["/usr/local/bin/replug", "pi"], "patience": 20},
/// "board": {"program": ["/opt/board/driver"]}}}`
public struct DeviceBook: Sendable, Equatable {
  /// A device with its name.
  public struct Entry: Sendable, Equatable {
    /// What the user calls it.
    public var name: String
    /// Where it is.
    public var address: DeviceAddress
    /// What was noted of it.
    public var settings: DeviceSettings
  }

  /// The file's name below Assay's home.
  public static let fileName = "devices.json"

  /// The devices, in the file's order.
  public private(set) var entries: [Entry] = []
  /// The file.
  public private(set) var path: String

  /// An empty book.
  public init(path: String = "") { self.path = path }

  /// Reads the book of a home; a home without one has an empty book.
  ///
  /// - Throws: `Diagnostic` DEV002 for a file that is none.
  public static func read(home: String = AssayHome.path) throws -> DeviceBook {
    let path = Host.join(home, fileName)
    guard let text = Host.smallText(path) else { return DeviceBook(path: path) }
    return try locating(path) { try DeviceBook(text: text, path: path) }
  }

  /// Reads a book's text.
  ///
  /// - Throws: `Diagnostic` DEV001 or DEV002.
  public init(text: String, path: String = "") throws {
    self.path = path
    let json = try JSON(parsing: text)
    guard let devices = json["devices"]?.pairs else {
      throw DeviceBook.fault("it has no object 'devices'")
    }
    entries = try devices.map { name, value in
      try locating(name) {
        guard DeviceAddress.isPlain(name[...]), name != "local" else {
          throw DeviceBook.fault("a name is letters, digits, dots and dashes, and not 'local'")
        }
        return try DeviceBook.entry(name, value)
      }
    }
  }

  /// The device that a word means: a name of the book, or an address.
  ///
  /// - Throws: `Diagnostic` DEV001 or DEV003 with the nearest name.
  public func entry(_ word: String) throws -> Entry {
    if let found = entries.first(where: { $0.name == word }) { return found }
    guard word == "local" || word.contains(":") else {
      let names = entries.map(\.name) + ["local"]
      let guess = nearest(to: word, among: names).map { "did you mean \($0)? " } ?? ""
      throw Diagnostic(
        "DEV003",
        "there is no device '\(word)'",
        remedy: guess + "an address is local, ssh:[USER@]HOST[:PORT], adb:SERIAL or program:NAME; "
          + "names are kept in \(path.isEmpty ? DeviceBook.fileName : path)"
      )
    }
    let address = try DeviceAddress(word)
    if case .program(let name) = address {
      guard let found = entries.first(where: { $0.name == name && !$0.settings.program.isEmpty })
      else {
        throw Diagnostic(
          "DEV003",
          "there is no program '\(name)'",
          remedy: "register it in \(path): {\"devices\": {\"\(name)\": {\"program\": [\"/path\"]}}}"
        )
      }
      return found
    }
    if let found = entries.first(where: { $0.address == address }) { return found }
    return Entry(name: word, address: address, settings: DeviceSettings())
  }

  private static func entry(_ name: String, _ json: JSON) throws -> Entry {
    let known: Set = [
      "address", "root", "ssh", "hub", "hook", "program", "patience", "grace",
      "libraries",
    ]
    for (key, _) in json.pairs ?? [] where !known.contains(key) {
      let guess = nearest(to: key, among: known.sorted()).map { "; did you mean '\($0)'?" } ?? ""
      throw fault("'\(key)' is not known" + guess)
    }
    var settings = DeviceSettings()
    settings.name = name
    settings.program = try words(json, "program")
    settings.sshOptions = try words(json, "ssh")
    settings.hook = try words(json, "hook")
    settings.patience = try seconds(json, "patience")
    settings.grace = try seconds(json, "grace")
    for (name, value) in json["libraries"]?.pairs ?? [] {
      let names = ["edgetpu", "litert", "onnxruntime", "openvino"]
      guard let path = value.string, path.hasPrefix("/"), names.contains(name) else {
        throw fault(
          "'libraries' has absolute paths for \(names.joined(separator: ", ")): "
            + "{\"edgetpu\": \"/path/there\"}"
        )
      }
      settings.libraries[name] = path
    }
    if let root = json["root"] {
      guard let text = root.string, text.hasPrefix("/"), !text.contains("'"), !text.contains("\n")
      else { throw fault("'root' is an absolute path") }
      settings.root = text
    }
    if let hub = json["hub"] {
      guard let location = hub["location"]?.string, isPlain(location), let port = hub["port"]?.int,
        (1...31).contains(port)
      else { throw fault("'hub' has a location such as \"1-1.2\" and a port") }
      settings.hubLocation = location
      settings.hubPort = port
    }
    if let text = json["address"]?.string {
      return Entry(name: name, address: try DeviceAddress(text), settings: settings)
    }
    guard !settings.program.isEmpty else { throw fault("it has neither 'address' nor 'program'") }
    return Entry(name: name, address: .program(name: name), settings: settings)
  }

  private static func isPlain(_ text: String) -> Bool { DeviceAddress.isPlain(text[...]) }

  private static func words(_ json: JSON, _ key: String) throws -> [String] {
    guard let value = json[key] else { return [] }
    let words = value.array?.compactMap(\.string)
    guard let words, !words.isEmpty, words.count == value.array?.count else {
      throw fault("'\(key)' is a list of words")
    }
    return words
  }

  private static func seconds(_ json: JSON, _ key: String) throws -> Double? {
    guard let value = json[key] else { return nil }
    guard let seconds = value.double, seconds > 0, seconds <= 86400 else {
      throw fault("'\(key)' is a number of seconds")
    }
    return seconds
  }

  private static func fault(_ what: String) -> Diagnostic {
    Diagnostic(
      "DEV002",
      "the file of devices cannot be used: \(what)",
      remedy: #"{"devices": {"pi": {"address": "ssh:pi@raspberrypi.local"}}}, see docs/devices.md"#
    )
  }
}
