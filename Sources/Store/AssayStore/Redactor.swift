import AssayBase
import AssayRecord

/// Takes out of records what tells whose they are: host and user names, serial numbers and paths.
///
/// The same name becomes the same stand-in (`host-1`) in all records that one redactor sees, so that
/// they can still be told apart. File names stay, folders go. Figures are not touched.
public struct Redactor: Sendable {
  private var standIns: [String: String] = [:]
  private var counts: [String: Int] = [:]

  /// Makes a redactor that has seen nothing.
  public init() {}

  /// What a member of this name holds, in one word; `nil` when it may stay.
  private static func kind(ofKey key: String) -> String? {
    let words = key.lowercased()
    if words == "boot" || words.contains("bootid") || words.contains("machineid") { return "boot" }
    if words.contains("hostname") || words == "host" || words == "node" { return "host" }
    let serials = ["serial", "uuid", "individual", "fingerprint"]
    if serials.contains(where: { words.contains($0) }) || words == "mac" { return "serial" }
    if words == "address" || words == "ip" { return "host" }
    if ["user", "login", "by"].contains(words) || words.contains("username") { return "user" }
    return nil
  }

  /// The record without such words.
  ///
  /// - Throws: `Diagnostic` or `Diagnostics` REC… if the record cannot be read again.
  public mutating func redacted(_ record: Record) throws -> Record {
    var json = record.json
    // Names that stand under a telling key are taken out wherever else they stand.
    var names: [String] = []
    collect(json, &names)
    let device = record.device
    // The device of an imported record is what its source calls the hardware, such as `imported: Orin`.
    if record.imported == nil, let colon = device.firstIndex(of: ":") {
      let name = String(device[device.index(after: colon)...])
      names.append(name)
      _ = standIn(name, device.hasPrefix("adb") ? "serial" : "host")
      // Of USER@HOST.DOMAIN:PORT each part may stand alone elsewhere.
      let sides = name.split(separator: "@")
      if sides.count == 2 {
        names.append(String(sides[0]))
        _ = standIn(String(sides[0]), "user")
      }
      if !device.hasPrefix("adb"), let host = sides.last?.split(separator: ":").first {
        for part in [host, host.split(separator: ".").first ?? host] where part.count > 1 {
          names.append(String(part))
          _ = standIn(String(part), "host")
        }
      }
    }
    json = rewrite(
      json,
      key: nil,
      names: names.filter { $0.count > 1 }.sorted { $0.count > $1.count }
    )
    return try Record(json: json)
  }

  private mutating func collect(_ value: JSON, _ names: inout [String]) {
    for element in value.array ?? [] { collect(element, &names) }
    for (key, member) in value.pairs ?? [] {
      if let kind = Redactor.kind(ofKey: key), let name = member.string, !name.isEmpty {
        _ = standIn(name, kind)
        names.append(name)
      }
      collect(member, &names)
    }
  }

  private mutating func standIn(_ name: String, _ kind: String) -> String {
    if let known = standIns[name] { return known }
    counts[kind, default: 0] += 1
    let made = "\(kind)-\(counts[kind] ?? 1)"
    standIns[name] = made
    return made
  }

  private func rewrite(_ value: JSON, key: String?, names: [String]) -> JSON {
    switch value {
    case .string(let text):
      if let key, Redactor.kept.contains(key) { return value }
      return .string(rewrite(text, names))
    case .array(let elements): return .array(elements.map { rewrite($0, key: key, names: names) })
    case .members(let members):
      var changed = JSON.Members()
      for (key, member) in members.pairs { changed[key] = rewrite(member, key: key, names: names) }
      return .members(changed)
    default: return value
    }
  }

  /// Members that are never a person's or a machine's.
  private static let kept: Set<String> = [
    "schema", "id", "sha256", "verdict", "code", "severity", "sweep", "artefact", "runtime",
  ]

  private func rewrite(_ text: String, _ names: [String]) -> String {
    var text = text
    for name in names { text = Redactor.replacing(name, by: standIns[name] ?? "", in: text) }
    return Redactor.withoutFolders(text)
  }

  /// Replaces a name where it stands as a word of its own.
  private static func replacing(_ name: String, by other: String, in text: String) -> String {
    guard text.contains(name) else { return text }
    var result = ""
    var rest = text[...]
    while let found = rest.firstRange(of: name) {
      let before = rest[..<found.lowerBound].last ?? result.last
      let after = rest[found.upperBound...].first
      let isWord = !isLetter(before) && !isLetter(after)
      result += rest[..<found.lowerBound]
      result += isWord ? other : name
      rest = rest[found.upperBound...]
    }
    return result + rest
  }

  private static func isLetter(_ character: Character?) -> Bool {
    character.map { $0.isLetter || $0.isNumber } ?? false
  }

  /// Paths without their folders: a run of `/` with names between them keeps its last name.
  private static func withoutFolders(_ text: String) -> String {
    guard text.contains("/") || text.contains("\\") else { return text }
    let ends: Set<Character> = [" ", "\t", "\n", "\"", "'", ",", ";", "(", ")", "[", "]", "=", "|"]
    var result = ""
    var word = ""
    func shortened(_ word: String) -> String {
      let scheme = word.firstRange(of: "://")
      let isPath =
        word.hasPrefix("/") || word.hasPrefix("~") || word.hasPrefix(".") || scheme != nil
        || word.dropFirst().hasPrefix(":\\") || word.hasPrefix("sqlite:")
        || word.split(separator: "/", omittingEmptySubsequences: false).count > 2
        || word.hasSuffix("/")
      guard isPath || word.split(separator: "/").last?.contains(".") == true else { return word }
      let parts = word.split(whereSeparator: { $0 == "/" || $0 == "\\" })
      return parts.last.map { String($0) } ?? "/"
    }
    for character in text {
      if ends.contains(character) {
        result += word.contains("/") || word.contains("\\") ? shortened(word) : word
        result.append(character)
        word = ""
      } else {
        word.append(character)
      }
    }
    return result + (word.contains("/") || word.contains("\\") ? shortened(word) : word)
  }
}
