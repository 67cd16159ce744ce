import AssayRate
import AssayRecord

/// Words that many rows share, as numbers.
struct WordList: Sendable {
  private(set) var words: [String] = []
  private var numbers: [String: UInt32] = [:]

  init(_ words: [String] = []) {
    for word in words { _ = number(of: word) }
  }

  mutating func number(of word: String) -> UInt32 {
    if let known = numbers[word] { return known }
    let number = UInt32(words.count)
    numbers[word] = number
    words.append(word)
    return number
  }

  subscript(number: UInt32) -> String { words[Int(number)] }
}

/// What scales rate of each row, as columns: a tenth of the memory that as many `Subject`s take.
struct RatingFacts: Sendable {
  /// What a record says of itself, before its row has a place.
  struct Draft: Sendable {
    var subject: Subject
    var session: String, likeness: String

    init(_ record: Record) {
      subject = Subject(record)
      session = record.session
      likeness = Originals.likeness(record)
    }
  }

  /// The words of a row, in the order of its columns.
  static let wordColumns = 8
  /// Between keys and values of conditions, which no record has in its words.
  private static let separator: Character = "\u{1F}"

  var words = WordList()
  /// Model, variant, environment, task, data set, conditions, session and likeness, as numbers of words.
  var codes: [[UInt32]] = Array(repeating: [], count: wordColumns)
  var isOriginal: [Bool] = []
  /// Figures by property; a property that no row has is absent.
  var figures: [String: [Measured?]] = [:]
  var originals = Originals()

  /// The number of rows.
  var count: Int { isOriginal.count }

  mutating func append(_ draft: Draft) {
    let subject = draft.subject
    let texts = [
      subject.model, subject.variant, subject.environment, subject.task, subject.dataset,
      Self.text(subject.conditions), draft.session, draft.likeness,
    ]
    for (place, text) in texts.enumerated() { codes[place].append(words.number(of: text)) }
    for (key, value) in subject.values {
      var column = figures.removeValue(forKey: key) ?? Array(repeating: nil, count: count)
      column.append(value)
      figures[key] = column
    }
    isOriginal.append(subject.isOriginal)
    for (key, column) in figures where column.count < count { figures[key]?.append(nil) }
  }

  /// What a scale rates.
  func subject(_ row: Int, id: String) -> Subject {
    func word(_ place: Int) -> String { words[codes[place][row]] }
    var values: [String: Measured] = [:]
    for (key, column) in figures { values[key] = column[row] }
    return Subject(
      id: id,
      model: word(0),
      variant: word(1),
      environment: word(2),
      task: word(3),
      dataset: word(4),
      conditions: Self.conditions(word(5)),
      values: values,
      original: originals.figures(session: word(6), likeness: word(7)),
      isOriginal: isOriginal[row]
    )
  }

  /// Rows of these sessions.
  func rows(ofSessions sessions: Set<String>) -> [Int] {
    let wanted = words.words.map { sessions.contains($0) }
    return codes[6].indices.filter { wanted[Int(codes[6][$0])] }
  }

  private static func text(_ conditions: [String: String]) -> String {
    conditions.sorted { $0.key < $1.key }.map { "\($0.key)\(separator)\($0.value)" }
      .joined(separator: "\u{1E}")
  }

  private static func conditions(_ text: String) -> [String: String] {
    var conditions: [String: String] = [:]
    for pair in text.split(separator: "\u{1E}") {
      let parts = pair.split(separator: separator, maxSplits: 1, omittingEmptySubsequences: false)
      conditions[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
    }
    return conditions
  }
}

/// A column of numbers in which most may be missing: it takes memory up to its last number only.
struct SparseColumn: Sendable {
  private(set) var values: [Double] = []
  /// The number of rows, missing ones included.
  private(set) var count = 0

  init(_ values: [Double] = [], count: Int = 0) {
    self.values = values
    self.count = count
  }

  mutating func append(_ value: Double) {
    if !value.isNaN {
      values.append(contentsOf: repeatElement(.nan, count: count - values.count))
      values.append(value)
    }
    count += 1
  }

  /// The number of a row; NaN where it is missing.
  subscript(row: Int) -> Double { row < values.count ? values[row] : .nan }
}
