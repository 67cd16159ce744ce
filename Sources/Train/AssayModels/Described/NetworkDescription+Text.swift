import AssayBase
import AssayGraph
import AssayTensor

extension NetworkDescription {
  /// A description as a YAML file has it, once it is read as values.
  ///
  /// - Throws: `Diagnostics` ZOO010 with everything that does not fit, each with its place.
  public init(json: JSON) throws {
    var reading = Reading()
    name = reading.text(json, "name") ?? "network"
    input = reading.numbers(json, "input") ?? [224, 224, 3]
    if input.count != 3 || !input.allSatisfy({ (1...8192).contains($0) }) {
      reading.refuse("'input' is rows, columns and channels, each from 1 to 8192", "input")
      input = [1, 1, 1]
    }
    classes = reading.number(json, "classes", 1...1_000_000) ?? 1000
    copies = reading.number(json, "copies", 1...16) ?? 1
    layers = reading.layers(json["layers"], "layers", depth: 0)
    reading.check(json, ["name", "input", "classes", "copies", "layers"], "the description")
    try Diagnostics(reading.faults).throwIfErrors()
  }

  /// The description as YAML.
  public var yaml: String {
    var text = "name: \(name)\ninput: [\(input.map(String.init).joined(separator: ", "))]\n"
    text += "classes: \(classes)\n"
    if copies > 1 { text += "copies: \(copies)\n" }
    return text + "layers:\n" + layers.map { $0.yaml(indent: "  ") }.joined()
  }
}

extension NetworkDescription.Layer {
  fileprivate func yaml(indent: String) -> String {
    func item(_ pairs: [(String, Int)]) -> String {
      pairs.enumerated().map { index, pair in
        "\(indent)\(index == 0 ? "- " : "  ")\(pair.0): \(pair.1)\n"
      }.joined()
    }
    return switch self {
    case .conv(let filters, let kernel, let strides):
      item([("conv", filters), ("kernel", kernel)] + (strides > 1 ? [("strides", strides)] : []))
    case .pool(let kind, let window, let strides):
      item([(kind == .max ? "pool" : "average", window), ("strides", strides)])
    case .fire(let squeeze, let expand): item([("fire", squeeze), ("expand", expand)])
    case .dense(let units): item([("dense", units)])
    case .repeated(let count, let layers):
      item([("repeat", count)]) + "\(indent)  layers:\n"
        + layers.map { $0.yaml(indent: indent + "    ") }.joined()
    }
  }
}

/// Reads values and collects what does not fit.
private struct Reading {
  var faults: [Diagnostic] = []
  private var count = 0

  mutating func refuse(_ summary: String, _ place: String) {
    faults.append(
      Diagnostic("ZOO010", summary, at: [place], remedy: "docs/zoo.md describes the fields")
    )
  }

  mutating func check(_ json: JSON, _ known: [String], _ place: String) {
    for (key, _) in json.pairs ?? [] where !known.contains(key) {
      let guess = nearest(to: key, among: known).map { ", did you mean '\($0)'?" } ?? ""
      refuse("'\(key)' is no field of \(place)\(guess)", place)
    }
  }

  mutating func text(_ json: JSON, _ key: String) -> String? {
    guard let value = json[key] else { return nil }
    if let text = value.string, !text.isEmpty, text.count <= 200 { return text }
    refuse("'\(key)' is a text", key)
    return nil
  }

  mutating func numbers(_ json: JSON, _ key: String) -> [Int]? {
    guard let value = json[key] else { return nil }
    let numbers = (value.array ?? []).compactMap(\.int)
    if !numbers.isEmpty, numbers.count == value.array?.count { return numbers }
    refuse("'\(key)' is a list of whole numbers", key)
    return nil
  }

  mutating func number(
    _ json: JSON,
    _ key: String,
    _ range: ClosedRange<Int>,
    at place: String? = nil
  ) -> Int? {
    guard let value = json[key] else { return nil }
    if let number = value.int, range.contains(number) { return number }
    refuse(
      "'\(key)' is a whole number from \(range.lowerBound) to \(range.upperBound)",
      place.map { "\($0).\(key)" } ?? key
    )
    return nil
  }

  mutating func layers(
    _ json: JSON?,
    _ place: String,
    depth: Int
  ) -> [NetworkDescription.Layer] {
    guard let list = json?.array, !list.isEmpty else {
      refuse("'layers' is a list of at least one layer", place)
      return []
    }
    guard depth < 8 else {
      refuse("repetitions go at most eight deep", place)
      return []
    }
    return list.enumerated().compactMap { index, layer in
      self.layer(layer, "\(place)[\(index)]", depth: depth)
    }
  }

  private mutating func layer(
    _ json: JSON,
    _ place: String,
    depth: Int
  ) -> NetworkDescription.Layer? {
    guard count < 10_000 else {
      if count == 10_000 { refuse("a network has at most 10000 layers", place) }
      count = 10_001
      return nil
    }
    count += 1
    let kinds = ["conv", "pool", "average", "fire", "dense", "repeat"]
    guard let kind = kinds.first(where: { json[$0] != nil }) else {
      refuse("a layer is one of \(kinds.joined(separator: ", "))", place)
      return nil
    }
    check(json, [kind] + (Self.fields[kind] ?? []), "a layer '\(kind)'")
    let size = number(json, kind, 1...65_536, at: place) ?? 1
    func field(_ key: String, _ fallback: Int, _ most: Int) -> Int {
      number(json, key, 1...most, at: place) ?? fallback
    }
    switch kind {
    case "conv":
      return .conv(
        filters: size,
        kernel: field("kernel", 3, 64),
        strides: field("strides", 1, 64)
      )
    case "pool", "average":
      return .pool(
        kind == "pool" ? .max : .average,
        window: min(size, 64),
        strides: field("strides", min(size, 64), 64)
      )
    case "fire": return .fire(squeeze: size, expand: field("expand", 4 * size, 65_536))
    case "dense": return .dense(size)
    default:
      guard size <= 1000 else {
        refuse("'repeat' is at most 1000", place)
        return nil
      }
      let before = count
      let inner = layers(json["layers"], "\(place).layers", depth: depth + 1)
      count += (size - 1) * (count - before)
      guard count <= 10_000 else {
        refuse("a network has at most 10000 layers", place)
        count = 10_001
        return nil
      }
      return .repeated(size, inner)
    }
  }

  private static let fields = [
    "conv": ["kernel", "strides"], "pool": ["strides"], "average": ["strides"], "fire": ["expand"],
    "repeat": ["layers"],
  ]
}
