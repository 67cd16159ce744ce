import AssayBase
@_spi(_Unicode) import Swift

/// Cuts text into the pieces of a vocabulary, as BERT's tokenizer does.
///
/// Text is cleaned, lower-cased and stripped of accents where the network was trained so, parted at
/// white space, punctuation and Chinese characters, and each word is cut into the longest pieces that
/// the vocabulary has, from its beginning on (Devlin et al., 2018; Wu et al., 2016).
public struct WordPiece: Sendable {
  /// The pieces in the order of their numbers.
  public let pieces: [String]
  /// Whether text is lower-cased and stripped of accents.
  public let isUncased: Bool
  private let numbers: [String: Int]
  private let unknown: Int
  /// Words above this length are unknown as a whole.
  static let longestWord = 200

  /// A tokenizer of a vocabulary.
  ///
  /// - Throws: `Diagnostic` ACC030 when it has no piece `[UNK]`.
  public init(vocabulary pieces: [String], isUncased: Bool = true) throws {
    self.pieces = pieces
    self.isUncased = isUncased
    var numbers: [String: Int] = [:]
    for (index, piece) in pieces.enumerated() where numbers[piece] == nil { numbers[piece] = index }
    guard let unknown = numbers["[UNK]"] else {
      throw Diagnostic(
        "ACC030",
        "the vocabulary has no piece [UNK]",
        remedy: "give the vocab.txt that came with the network, one piece a line"
      )
    }
    self.numbers = numbers
    self.unknown = unknown
  }

  /// The number of a piece.
  public subscript(piece: String) -> Int? { numbers[piece] }

  /// The pieces of a text.
  public func tokens(_ text: String) -> [String] { numbersOf(text).map { pieces[$0] } }

  /// The numbers of the pieces of a text.
  public func numbersOf(_ text: String) -> [Int] {
    words(text).flatMap { cut($0) }
  }

  /// A network's input for one text, or two that belong together: the numbers, which of them count, and
  /// to which text they belong, cut and filled to `length`.
  ///
  /// - Throws: `Diagnostic` ACC030 when the vocabulary lacks a mark that is needed.
  public func encoded(
    _ text: String,
    and second: String? = nil,
    length: Int
  ) throws -> (numbers: [Int], mask: [Int], segments: [Int]) {
    guard let begin = numbers["[CLS]"], let end = numbers["[SEP]"] else {
      throw Diagnostic("ACC030", "the vocabulary has no [CLS] or [SEP]")
    }
    var first = numbersOf(text)
    var other = second.map { numbersOf($0) } ?? []
    let room = max(length - (second == nil ? 2 : 3), 0)
    // The longer of two is cut first, from its end.
    while first.count + other.count > room {
      if first.count > other.count { first.removeLast() } else { other.removeLast() }
    }
    var all = [begin] + first + [end]
    var segments = [Int](repeating: 0, count: all.count)
    if second != nil {
      all += other + [end]
      segments += [Int](repeating: 1, count: other.count + 1)
    }
    all = Array(all.prefix(length))
    segments = Array(segments.prefix(length))
    let rest = max(length - all.count, 0)
    let fill = numbers["[PAD]"] ?? 0
    return (
      all + [Int](repeating: fill, count: rest),
      [Int](repeating: 1, count: all.count) + [Int](repeating: 0, count: rest),
      segments + [Int](repeating: 0, count: rest)
    )
  }

  /// A text's words, before they are cut into pieces.
  func words(_ text: String) -> [String] {
    var spaced: [Unicode.Scalar] = []
    for scalar in text.unicodeScalars {
      if scalar.value == 0 || scalar.value == 0xFFFD || isControl(scalar) { continue }
      if isSpace(scalar) {
        spaced.append(" ")
      } else if isChinese(scalar) {
        spaced += [" ", scalar, " "]
      } else {
        spaced.append(scalar)
      }
    }
    return spaced.split(separator: " ").flatMap { word in
      parted(isUncased ? uncased(word) : Array(word))
    }
  }

  private func uncased(_ word: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
    var lower = String.UnicodeScalarView()
    for scalar in word {
      lower.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
    }
    // Canonical decomposition parts letters from their accents.
    return String(lower)._nfd.filter { $0.properties.generalCategory != .nonspacingMark }
  }

  /// A word's parts: each punctuation mark is one of its own.
  private func parted(_ word: [Unicode.Scalar]) -> [String] {
    var parts: [String.UnicodeScalarView] = []
    var isOpen = false
    for scalar in word {
      if isSpace(scalar) {
        isOpen = false
      } else if isPunctuation(scalar) {
        parts.append(String.UnicodeScalarView([scalar]))
        isOpen = false
      } else if isOpen {
        parts[parts.count - 1].append(scalar)
      } else {
        parts.append(String.UnicodeScalarView([scalar]))
        isOpen = true
      }
    }
    return parts.map { String($0) }
  }

  private func cut(_ word: String) -> [Int] {
    let scalars = Array(word.unicodeScalars)
    guard scalars.count <= WordPiece.longestWord else { return [unknown] }
    var result: [Int] = []
    var start = 0
    while start < scalars.count {
      var end = scalars.count
      var found: Int?
      while end > start, found == nil {
        var view = String.UnicodeScalarView(scalars[start..<end])
        if start > 0 { view.insert(contentsOf: "##".unicodeScalars, at: view.startIndex) }
        found = numbers[String(view)]
        if found == nil { end -= 1 }
      }
      guard let found else { return [unknown] }
      result.append(found)
      start = end
    }
    return result
  }
}

private func isSpace(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar {
  case " ", "\t", "\n", "\r": true
  default: scalar.properties.generalCategory == .spaceSeparator
  }
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar {
  case "\t", "\n", "\r": false
  default:
    switch scalar.properties.generalCategory {
    case .control, .format, .unassigned, .privateUse, .surrogate: true
    default: false
    }
  }
}

/// Also all marks of ASCII that are neither letters nor digits.
private func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 33...47, 58...64, 91...96, 123...126: return true
  default:
    switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }
}

/// The blocks of Chinese characters; Korean and Japanese syllables are parted by spaces as others are.
private func isChinese(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
    0x2B820...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
    true
  default: false
  }
}
