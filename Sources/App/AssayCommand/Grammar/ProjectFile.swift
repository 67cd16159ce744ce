import AssayBase
import AssayCodec
import AssayHost

/// `assay.yaml` in the working folder: values of a command's options, so that it needs no flags.
///
/// Each key is an option's name without dashes, or `model` for the first operand; a list joins with
/// commas. The command line wins over the file.
enum ProjectFile {
  /// The file's name.
  static let name = "assay.yaml"

  /// Options of `spec` from the file that `given` does not set.
  ///
  /// - Returns: words as they would stand on the command line; none when there is no such file.
  /// - Throws: `Diagnostics` with every key that the command does not know.
  static func words(for spec: CommandSpec, given: Arguments) throws -> [String] {
    guard Host.exists(name) else { return [] }
    return try locating(name) {
      let text = try MappedFile(path: name).view
      guard let content = text.utf8, let pairs = try YAML.read(content).pairs else {
        throw Diagnostic("CLI010", "the project file is no mapping of keys to values")
      }
      return try words(pairs, spec, given)
    }
  }

  private static func words(
    _ pairs: [(key: String, value: JSON)],
    _ spec: CommandSpec,
    _ given: Arguments
  ) throws -> [String] {
    var words: [String] = []
    var faults: [Diagnostic] = []
    for (key, value) in pairs {
      if key == "model" {
        guard let path = value.string else {
          faults.append(Diagnostic("CLI010", "model is no path"))
          continue
        }
        if given.operands.isEmpty { words.append(path) }
        continue
      }
      guard let option = spec.options.first(where: { $0.name == "--\(key)" }) else {
        let known = spec.options.map { String($0.name.dropFirst(2)) }
        let guess = nearest(to: key, among: known).map { "; did you mean \($0)?" } ?? ""
        faults.append(
          Diagnostic(
            "CLI010",
            "'\(key)' is no setting of 'assay \(spec.name)'\(guess)",
            remedy: "settings: model, \(known.joined(separator: ", "))"
          )
        )
        continue
      }
      guard !given.has(option.name) else { continue }
      if option.argument == .flag {
        if value.bool == true { words.append(option.name) }
        continue
      }
      for text in texts(value, of: option) { words += [option.name, text] }
    }
    try Diagnostics(faults).throwIfErrors()
    return words
  }

  /// A value as the command line would have it.
  private static func texts(_ value: JSON, of option: Option) -> [String] {
    func text(_ value: JSON) -> String {
      switch value {
      case .string(let text): text
      case .integer(let number): String(number)
      case .number(let number): "\(number)"
      case .bool(let flag): "\(flag)"
      default: ""
      }
    }
    guard let elements = value.array else { return [text(value)] }
    if case .repeated = option.argument { return elements.map(text) }
    return [elements.map(text).joined(separator: ",")]
  }
}
