/// A number as a tool printed it: its characters and what they say.
///
/// Parsers of this module give nothing else, so that no figure can come out that was not in the text.
public struct Printed: Sendable, Equatable, CustomStringConvertible {
  /// The characters.
  public let text: String
  /// What they say; finite.
  public let value: Double

  /// Reads a whole word: a sign, digits with a point, and an exponent; `nil` when it is anything else.
  public init?(_ word: some StringProtocol) {
    let bytes = Array(word.utf8)
    guard Printed.isNumber(bytes), let value = Double(String(word)), value.isFinite else {
      return nil
    }
    text = String(word)
    self.value = value
  }

  /// The whole number, when it is one and no exponent or point was printed.
  public var count: Int? { Int(text) }

  /// The same time in whole nanoseconds; `nil` when it is negative or beyond a century.
  ///
  /// - Parameter unit: nanoseconds of one of the printed number.
  public func nanoseconds(unit: Double) -> Int64? {
    let time = (value * unit).rounded()
    guard time >= 0, time < 3.2e18 else { return nil }
    return Int64(time)
  }

  /// The same size in whole bytes; `nil` when it is negative or beyond an exabyte.
  public func bytes(unit: Double) -> Int? {
    let size = (value * unit).rounded()
    guard size >= 0, size < 1e18 else { return nil }
    return Int(size)
  }

  /// The characters.
  public var description: String { text }

  private static func isNumber(_ bytes: [UInt8]) -> Bool {
    var index = 0
    func isDigit() -> Bool { index < bytes.count && (0x30...0x39).contains(bytes[index]) }
    func digits() -> Int {
      var count = 0
      while isDigit() {
        index += 1
        count += 1
      }
      return count
    }
    func take(_ choices: String) -> Bool {
      guard index < bytes.count, choices.utf8.contains(bytes[index]) else { return false }
      index += 1
      return true
    }
    _ = take("+-")
    guard digits() > 0 else { return false }
    if take("."), digits() == 0 { return false }
    if take("eE") {
      _ = take("+-")
      if digits() == 0 { return false }
    }
    return index == bytes.count
  }
}

extension StringProtocol {
  /// What follows `prefix`; `nil` when the text does not begin with it.
  func after(_ prefix: String) -> Substring? {
    guard utf8.starts(with: prefix.utf8) else { return nil }
    return Substring(self[utf8.index(startIndex, offsetBy: prefix.utf8.count)...])
  }

  /// The text without blanks at its ends.
  var trimmed: Substring {
    let text = Substring(self)
    let bytes = text.utf8
    var (start, end) = (bytes.startIndex, bytes.endIndex)
    while start < end, isBlank(bytes[start]) { bytes.formIndex(after: &start) }
    while end > start {
      let last = bytes.index(before: end)
      guard isBlank(bytes[last]) else { break }
      end = last
    }
    return text[start..<end]
  }

  /// The text between two others; `nil` unless it begins with the first and ends with the last.
  func between(_ prefix: String, _ suffix: String) -> Substring? {
    guard let rest = after(prefix), rest.utf8.count >= suffix.utf8.count else { return nil }
    let end = rest.utf8.index(rest.endIndex, offsetBy: -suffix.utf8.count)
    guard rest.utf8[end...].elementsEqual(suffix.utf8) else { return nil }
    return rest[..<end]
  }

  /// Where `other` first stands in the text.
  func range(_ other: String) -> Range<Index>? {
    guard let first = other.utf8.first else { return nil }
    let count = other.utf8.count
    var start = utf8.startIndex
    while let index = utf8[start...].firstIndex(of: first) {
      if utf8[index...].starts(with: other.utf8) {
        return index..<utf8.index(index, offsetBy: count)
      }
      start = utf8.index(after: index)
    }
    return nil
  }

  /// The lines of the text, whichever way they end; empty ones are kept.
  ///
  /// Not by characters: a carriage return with its line feed is one of those.
  var rows: [Substring] {
    utf8.split(separator: 10, omittingEmptySubsequences: false).map { row in
      Substring(self[row.startIndex..<row.endIndex])
    }
  }
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
