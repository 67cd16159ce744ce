import AssayBase

/// One line of a tool's output, with its number.
struct NumberedLine {
  /// Its text, without the line's end.
  var text: Substring
  /// Its number in the file, from 1.
  var number: Int

  /// Where it is, in words.
  var place: String { "line \(number)" }
}

extension NumberedLine {
  /// The lines of a text: colours of terminals are taken out, a line that was written over by a carriage
  /// return counts as several.
  static func all(_ text: String) -> [NumberedLine] {
    var lines: [NumberedLine] = []
    let plain = withoutColours(text)
    var number = 1
    for line in plain.split(separator: "\n", omittingEmptySubsequences: false) {
      for part in line.split(separator: "\r", omittingEmptySubsequences: true) {
        lines.append(NumberedLine(text: part, number: number))
      }
      if line.isEmpty { lines.append(NumberedLine(text: line, number: number)) }
      number += 1
    }
    return lines
  }

  /// A text with a blank for each sequence that colours a terminal (ECMA-48: `ESC [ … m`): what stands
  /// on both sides of one must not become one word.
  static func withoutColours(_ text: String) -> String {
    guard text.utf8.contains(0x1B) else { return normalized(text) }
    var bytes: [UInt8] = []
    var isEscape = false
    for byte in text.utf8 {
      if byte == 0x1B {
        isEscape = true
        bytes.append(UInt8(ascii: " "))
      } else if byte == 0x0A {
        isEscape = false
        bytes.append(byte)
      } else if isEscape {
        // A sequence ends with a letter.
        if (0x40...0x7E).contains(byte), byte != UInt8(ascii: "[") { isEscape = false }
      } else {
        bytes.append(byte)
      }
    }
    return normalized(String(decoding: bytes, as: UTF8.self))
  }

  /// Carriage returns before a line's end taken out: Swift takes both together as one character.
  private static func normalized(_ text: String) -> String {
    guard text.utf8.contains(0x0D) else { return text }
    var bytes: [UInt8] = []
    let source = Array(text.utf8)
    for (index, byte) in source.enumerated() {
      let isPair = index + 1 < source.count && source[index + 1] == 0x0A
      if byte == 0x0D, isPair { continue }
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension StringProtocol {
  /// The text without white space at its ends.
  public var trimmed: SubSequence {
    guard let first = firstIndex(where: { !$0.isWhitespace }),
      let last = lastIndex(where: { !$0.isWhitespace })
    else { return self[endIndex...] }
    return self[first...last]
  }

  /// The number that the text is, all of it: digits, a point, an exponent; finite.
  ///
  /// Other words that Swift takes for numbers (`nan`, `0x1p3`) are none here.
  public var statedNumber: Double? {
    guard !isEmpty, utf8.allSatisfy(\.isNumberByte), let value = Double(String(self)),
      value.isFinite
    else { return nil }
    return value
  }

  /// The number at the beginning of the text and what follows it.
  ///
  /// The number reaches as far as there are characters of numbers, so that no part of a damaged one
  /// is taken for another number.
  var leadingNumber: (value: Double, rest: SubSequence)? {
    let start = self.drop { $0 == " " || $0 == "\t" }
    let digits = start.prefix { $0.utf8.count == 1 && $0.utf8.allSatisfy(\.isNumberByte) }
    guard let value = digits.statedNumber else { return nil }
    return (value, start[digits.endIndex...])
  }

  /// The number that follows a label in the text, with its unit; `nil` when either is not there.
  ///
  /// - Parameters:
  ///   - label: what stands before the number, such as `mean = `.
  ///   - unit: what stands behind it, after blanks; empty for nothing.
  func number(after label: String, unit: String = "") -> Double? {
    guard let range = firstRange(of: label),
      let (value, rest) = self[range.upperBound...].leadingNumber
    else { return nil }
    let tail = rest.drop { $0 == " " }
    guard tail.hasPrefix(unit) else { return nil }
    // `ms` does not end in the middle of a word.
    if let next = tail.dropFirst(unit.count).first, let last = unit.last, last.isLetter,
      next.isLetter || next.isNumber
    {
      return nil
    }
    return value
  }

  /// What follows a label, to the end of the text, without blanks at its ends.
  func words(after label: String) -> Substring? {
    guard let range = firstRange(of: label) else { return nil }
    return Substring(self[range.upperBound...].trimmed)
  }

  /// What stands before a label, or everything when it is not there.
  func words(before label: String) -> SubSequence {
    guard let range = firstRange(of: label) else { return self[...] }
    return self[..<range.lowerBound]
  }

  private func firstRange(of other: String) -> Range<Index>? {
    let needle = Array(other.utf8)
    guard !needle.isEmpty else { return startIndex..<startIndex }
    let bytes = utf8
    guard bytes.count >= needle.count else { return nil }
    var index = bytes.startIndex
    while let found = bytes[index...].firstIndex(of: needle[0]) {
      var (place, matched) = (found, 0)
      while matched < needle.count, place < bytes.endIndex, bytes[place] == needle[matched] {
        place = bytes.index(after: place)
        matched += 1
      }
      if matched == needle.count { return found..<place }
      index = bytes.index(after: found)
    }
    return nil
  }
}

extension UInt8 {
  /// Whether the byte can be a part of a number.
  var isNumberByte: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
      UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
      true
    default: false
    }
  }
}
