import AssayBase
import AssayGraph
import AssayTensor

// What layers read from their configuration.
extension KerasLayer {
  /// An attribute that the importer does not know how to follow.
  func unsupported(_ attribute: String, _ why: String, remedy: String? = nil) -> Diagnostic {
    Diagnostic("KER007", why, at: ["attribute '\(attribute)'"], remedy: remedy)
  }

  private func malformed(_ attribute: String, _ expected: String) -> Diagnostic {
    Diagnostic("KER003", "\(expected) was expected", at: ["attribute '\(attribute)'"])
  }

  /// A member of the configuration; `nil` for an absent one and for `null`.
  subscript(key: String) -> JSON? {
    guard let value = config[key], !value.isNull else { return nil }
    return value.unwrapped
  }

  /// A whole number in a range that no layer leaves.
  func int(_ key: String, default fallback: Int? = nil) throws -> Int {
    guard let value = self[key] else {
      guard let fallback else { throw malformed(key, "a whole number") }
      return fallback
    }
    guard let number = value.int, number.magnitude < 1 << 24 else {
      throw malformed(key, "a whole number")
    }
    return number
  }

  /// A number.
  func float(_ key: String, default fallback: Float? = nil) throws -> Float {
    guard let value = self[key] else {
      guard let fallback else { throw malformed(key, "a number") }
      return fallback
    }
    guard let number = value.double else { throw malformed(key, "a number") }
    return Float(number)
  }

  /// A truth value.
  func bool(_ key: String, default fallback: Bool) throws -> Bool {
    guard let value = self[key] else { return fallback }
    guard let truth = value.bool else { throw malformed(key, "true or false") }
    return truth
  }

  /// A word.
  func string(_ key: String, default fallback: String) throws -> String {
    guard let value = self[key] else { return fallback }
    guard let text = value.string else { throw malformed(key, "a word") }
    return text
  }

  /// `count` whole numbers, or one that stands for all.
  func ints(_ key: String, count: Int, default fallback: Int? = nil) throws -> [Int] {
    guard let value = self[key] else {
      guard let fallback else { throw malformed(key, "\(count) whole numbers") }
      return [Int](repeating: fallback, count: count)
    }
    if value.int != nil { return [Int](repeating: try int(key), count: count) }
    guard let numbers = value.ints, numbers.count == count,
      numbers.allSatisfy({ $0.magnitude < 1 << 24 })
    else { throw malformed(key, "\(count) whole numbers") }
    return numbers
  }

  /// Whole numbers, any number of them.
  func ints(_ key: String) throws -> [Int] {
    guard let value = self[key] else { throw malformed(key, "whole numbers") }
    if value.int != nil { return [try int(key)] }
    guard let numbers = value.ints, numbers.count <= 64,
      numbers.allSatisfy({ $0.magnitude < 1 << 24 })
    else { throw malformed(key, "whole numbers") }
    return numbers
  }

  /// Elements before and after each of `axes` axes: a number, one for each axis, or pairs.
  func pairs(_ key: String, axes: Int) throws -> [(before: Int, after: Int)] {
    guard let value = self[key] else { throw malformed(key, "amounts") }
    var pairs: [(before: Int, after: Int)]?
    if let number = value.int {
      pairs = [(Int, Int)](repeating: (number, number), count: axes)
    } else if axes == 1, let numbers = value.ints, numbers.count == 2 {
      pairs = [(numbers[0], numbers[1])]
    } else if let numbers = value.ints, numbers.count == axes {
      pairs = numbers.map { ($0, $0) }
    } else if let lists = value.array?.map(\.ints), lists.count == axes {
      pairs = lists.compactMap { $0?.count == 2 ? ($0?[0] ?? 0, $0?[1] ?? 0) : nil }
    }
    guard let pairs, pairs.count == axes,
      pairs.allSatisfy({ (0..<1 << 20).contains($0.before) && (0..<1 << 20).contains($0.after) })
    else { throw malformed(key, "amounts before and after \(axes) axes") }
    return pairs
  }

  /// Numbers: one, a list, or a nested list that is all one axis.
  func floats(_ key: String) throws -> [Float]? {
    guard let value = self[key] else { return nil }
    func flatten(_ json: JSON) -> [Float]? {
      if let number = json.unwrapped.double { return [Float(number)] }
      guard let elements = json.unwrapped.array else { return nil }
      let parts = elements.map(flatten)
      return parts.contains { $0 == nil } ? nil : parts.flatMap { $0 ?? [] }
    }
    guard let numbers = flatten(value) else { throw malformed(key, "numbers") }
    return numbers
  }

  /// The name of the precision in which the layer computes; `nil` when the file does not say.
  var precision: String? {
    guard let policy = self["dtype"] else { return nil }
    // A name, or an object: {"class_name": "DTypePolicy", "config": {"name": …}}.
    let config = policy["config"]
    return policy.string ?? config?["name"]?.string ?? config?["mode"]?.string
  }

  /// Throws unless images have their channels last.
  func requireChannelsLast() throws {
    let format = try string("data_format", default: "channels_last")
    guard format == "channels_last" else {
      throw unsupported(
        "data_format",
        "'\(format)' is not imported",
        remedy: "build the model with data_format='channels_last'"
      )
    }
  }

  /// Throws unless an attribute has the value that stands for its absence.
  func require(_ key: String, toBe expected: JSON) throws {
    guard let value = self[key], value != expected else { return }
    throw unsupported(key, "\(value.text()) is not imported")
  }

  /// The border's treatment of a window along `axes` axes.
  ///
  /// - Parameters:
  ///   - reach: how far a causal window reaches back.
  func padding(causal reach: Int? = nil) throws -> Padding {
    let text = try string("padding", default: "valid")
    switch (text.lowercased(), reach) {
    case ("valid", _): return .valid
    case ("same", _): return .same
    case ("causal", let reach?): return .explicit(top: 0, bottom: 0, left: reach, right: 0)
    default: throw unsupported("padding", "'\(text)' is not imported")
    }
  }
}

extension JSON {
  /// The value that Keras wrapped to tell its type: tuples, NumPy arrays, tensors.
  fileprivate var unwrapped: JSON {
    switch self["class_name"]?.string {
    case "__tuple__": self["items"] ?? self
    case "__numpy__", "__tensor__": self["config"]?["value"] ?? self
    default:
      // Keras 2 wrote NumPy values as {"type": "ndarray", "value": …}.
      self["type"]?.string == "ndarray" ? self["value"] ?? self : self
    }
  }
}
