import AssayBase
import AssayHost
import CYAML

/// YAML 1.1 texts, read by libyaml (loaded on first use).
public enum YAML {
  /// Whether libyaml can be used here.
  public static func probe() -> Availability {
    do {
      _ = try Library.shared.get()
      return .available(version: "0.2")
    } catch {
      return Availability(unavailableBecauseOf: error)
    }
  }

  /// Reads one document; mappings become objects, plain scalars numbers and truth values as in JSON.
  ///
  /// Aliases are refused: a small text could stand for a huge value.
  ///
  /// - Throws: `Diagnostic` YML001 with line and column, YML002 when libyaml is missing.
  public static func read(_ text: String) throws -> JSON { try readMarked(text).value }

  /// A document with the line on which each of its values stands.
  public struct Marked: Sendable, Equatable {
    /// The document.
    public var value: JSON
    /// Lines from 1 by path, such as `models[0].path`; the path of the document itself is empty.
    ///
    /// A member of a mapping stands where its key stands.
    public var lines: [String: Int]
  }

  /// Reads one document as `read` does, and tells where everything in it stands.
  ///
  /// - Throws: `Diagnostic` YML001 with line and column, YML002 when libyaml is missing.
  public static func readMarked(_ text: String) throws -> Marked {
    let table = try Library.shared.get().table
    var parser = unsafe CYAMLParser()
    guard unsafe table.yaml_parser_initialize(&parser) == 1 else {
      throw Diagnostic("YML002", "libyaml cannot make a parser")
    }
    defer { unsafe table.yaml_parser_delete(&parser) }
    let bytes = Array(text.utf8)
    return try unsafe bytes.withUnsafeBufferPointer { input in
      unsafe table.yaml_parser_set_input_string(&parser, input.baseAddress, input.count)
      var reader = unsafe YAMLReader(table: table, parser: &parser)
      let value = try reader.document()
      return Marked(value: value, lines: reader.lines)
    }
  }
}

// Safe because: the table is filled once and never changes.
/// libyaml's functions.
@safe private final class Library: @unchecked Sendable {
  let table: CYAMLTable

  static let shared: Result<Library, Diagnostic> = {
    for name in ["libyaml-0.so.2", "libyaml.dylib"] {
      if let library = try? SharedLibrary(path: name), let found = try? Library(library) {
        return .success(found)
      }
    }
    return .failure(
      Diagnostic(
        "YML002",
        "libyaml is not installed",
        remedy: "install Debian's libyaml-0-2 (make setup)"
      )
    )
  }()

  private init(_ library: SharedLibrary) throws {
    var table = CYAMLTable()
    guard unsafe library.fill(&table, names: cyaml_names()).isEmpty else {
      throw Diagnostic("YML002", "this libyaml lacks functions that are needed")
    }
    self.table = table
  }
}

/// Builds values from libyaml's events.
@safe private struct YAMLReader {
  let table: CYAMLTable
  let parser: UnsafeMutablePointer<CYAMLParser>

  private enum Event {
    case scalar(String, isPlain: Bool)
    case sequence, mapping, end, other, alias, streamEnd
  }

  private var line = 0
  private var column = 0
  /// Where values stand, by path.
  private(set) var lines: [String: Int] = [:]

  init(table: CYAMLTable, parser: UnsafeMutablePointer<CYAMLParser>) {
    self.table = table
    unsafe self.parser = parser
  }

  private func fault(_ what: String, cause: String? = nil) -> Diagnostic {
    Diagnostic(
      "YML001",
      "this is not a YAML text that is understood: \(what)",
      at: ["line \(line + 1), column \(column + 1)"],
      cause: cause
    )
  }

  private mutating func next() throws -> Event {
    var event = unsafe CYAMLEvent()
    guard unsafe table.yaml_parser_parse(parser, &event) == 1 else {
      let words = unsafe parser.pointee.problem.map { unsafe String(cString: $0) }
      throw fault("it breaks YAML's rules", cause: words)
    }
    defer { unsafe table.yaml_event_delete(&event) }
    line = unsafe event.start.line
    column = unsafe event.start.column
    switch unsafe Int(event.type) {
    case CYAML_SCALAR:
      let bytes = unsafe UnsafeBufferPointer(start: event.value, count: event.length)
      return .scalar(
        unsafe String(decoding: bytes, as: UTF8.self),
        isPlain: unsafe event.plain != 0
      )
    case CYAML_SEQUENCE_START: return .sequence
    case CYAML_MAPPING_START: return .mapping
    case CYAML_SEQUENCE_END, CYAML_MAPPING_END: return .end
    case CYAML_ALIAS: return .alias
    case CYAML_STREAM_END: return .streamEnd
    default: return .other
    }
  }

  mutating func document() throws -> JSON {
    while true {
      let event = try next()
      switch event {
      case .other: continue
      case .streamEnd: return .null
      default:
        lines[""] = line + 1
        return try value(event, at: "", depth: 0)
      }
    }
  }

  private mutating func value(_ event: Event, at path: String, depth: Int) throws -> JSON {
    guard depth < 64 else { throw fault("nested too deeply") }
    switch event {
    case .scalar(let text, let isPlain): return isPlain ? YAMLReader.plain(text) : .string(text)
    case .alias: throw fault("aliases are not accepted")
    case .sequence:
      var elements: [JSON] = []
      while true {
        let event = try next()
        if case .end = event { return .array(elements) }
        let place = "\(path)[\(elements.count)]"
        lines[place] = line + 1
        elements.append(try value(event, at: place, depth: depth + 1))
      }
    case .mapping:
      var members = JSON.Members()
      while true {
        let event = try next()
        if case .end = event { return .members(members) }
        guard case .scalar(let key, _) = event else { throw fault("a key that is no word") }
        guard members[key] == nil else { throw fault("'\(key)' stands twice") }
        let place = path.isEmpty ? key : "\(path).\(key)"
        lines[place] = line + 1
        members[key] = try value(try next(), at: place, depth: depth + 1)
      }
    default: throw fault("a value was expected")
    }
  }

  /// A plain scalar by YAML's core schema.
  private static func plain(_ text: String) -> JSON {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: break
    }
    if let integer = Int64(text) { return .integer(integer) }
    let isNumber = text.first.map { $0.isNumber || "+-.".contains($0) } ?? false
    if isNumber, let number = Double(text) { return .number(number) }
    return .string(text)
  }
}
