/// One line of a tool's output, without what loggers put before it.
struct LogLine: Sendable, Equatable {
  /// How much a line matters to whoever wrote it.
  enum Level: String, Sendable {
    case verbose = "VERBOSE", info = "INFO", warning = "WARN", error = "ERROR"
  }

  /// What it says.
  var text: String
  /// Its level; `nil` for lines of before version 2.10, which have none.
  var level: Level?
  /// The process that wrote it, and under which tag, in Android's log.
  var process: Int?
  var tag: String?

  /// Reads a line as it stands in the output of a tool or in Android's log.
  init(_ line: some StringProtocol) {
    var rest = Substring(line)
    if rest.utf8.last == 13 { rest = rest[..<rest.utf8.index(before: rest.endIndex)] }
    if let entry = LogLine.entry(rest) {
      (process, level, tag) = (entry.process, entry.level, entry.tag)
      rest = entry.message
    }
    for (word, level) in LogLine.prefixes {
      if let found = rest.after(word) {
        self.level = level
        rest = found
        break
      }
    }
    text = String(rest)
  }

  /// Every line of a text.
  static func lines(_ text: String) -> [LogLine] {
    text.rows.map { LogLine($0) }
  }

  private static let prefixes: [(String, Level)] = [
    ("INFO: ", .info), ("WARNING: ", .warning), ("WARN: ", .warning), ("ERROR: ", .error),
    ("VERBOSE: ", .verbose),
  ]

  private typealias Entry = (process: Int, level: Level?, tag: String, message: Substring)

  /// The parts of a line of `logcat`, in its formats threadtime, time and brief.
  private static func entry(_ line: Substring) -> Entry? {
    guard let first = line.utf8.first else { return nil }
    guard (0x30...0x39).contains(first) else {
      return line.utf8.dropFirst().first == UInt8(ascii: "/") ? brief(line) : nil
    }
    var words = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
    if words.count == 6, isDate(words[0]), isTime(words[1]), let process = Int(words[2]),
      Int(words[3]) != nil, words[4].count == 1, let letter = words[4].first,
      "VDIWEFS".contains(letter)
    {
      return message(words[5]).map { (process, level(letter), $0.tag, $0.text) }
    }
    if words.count >= 3, isDate(words[0]), isTime(words[1]) {
      words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
      return words.count == 3 ? brief(words[2]) : nil
    }
    return nil
  }

  /// `I/tflite  ( 1234): message`.
  private static func brief(_ text: Substring) -> Entry? {
    guard let letter = text.first, "VDIWEFS".contains(letter), text.dropFirst().first == "/",
      let open = text.firstIndex(of: "("), let close = text[open...].firstIndex(of: ")"),
      let process = Int(text[text.index(after: open)..<close].trimmed)
    else { return nil }
    let rest = text[text.index(after: close)...]
    guard let message = rest.after(": ") ?? (rest == ":" ? Substring("") : nil) else { return nil }
    let tag = String(text.dropFirst(2)[..<open].trimmed)
    return (process, level(letter), tag, message)
  }

  private static func message(_ text: Substring) -> (tag: String, text: Substring)? {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let rest = text[text.index(after: colon)...]
    return (String(text[..<colon].trimmed), rest.first == " " ? rest.dropFirst() : rest)
  }

  private static func level(_ letter: Character) -> Level? {
    switch letter {
    case "V", "D": .verbose
    case "I": .info
    case "W": .warning
    default: .error
    }
  }

  private static func isDate(_ word: Substring) -> Bool {
    let parts = word.split(separator: "-")
    return (2...3).contains(parts.count) && parts.allSatisfy { Int($0) != nil }
  }

  private static func isTime(_ word: Substring) -> Bool {
    let parts = word.split(separator: ":")
    return parts.count == 3 && parts.allSatisfy { Double(String($0)) != nil }
  }
}
