/// Reads power out of lines of text: `VDD_IN 6321mW/5210mW`, `4.98 V 0.41 A`, `core=1.2 W`, `2.14`.
///
/// A number counts when a unit of power, energy, voltage or current follows it; a line of nothing but
/// one number is watts. The word before a number names it. Of `now/average` the first counts. Where
/// there are one voltage and one current and no power of that name, their product is the power.
public struct LineParser: Sendable {
  /// One figure of a line.
  public struct Figure: Sendable, Equatable {
    /// Its name; empty when the line gives none.
    public var name: String
    /// What it is, in base units.
    public var quantity: MeterChannel.Quantity
    /// The number, in base units.
    public var value: Double
  }

  /// The unit of a line that is one bare number: watts unless told.
  public var bareUnit: String

  /// A parser.
  public init(bareUnit: String = "W") { self.bareUnit = bareUnit }

  /// Units by their text: the quantity and the factor to base units.
  static let units: [String: (quantity: MeterChannel.Quantity, factor: Double)] = [
    "W": (.power, 1), "mW": (.power, 1e-3), "uW": (.power, 1e-6), "µW": (.power, 1e-6),
    "kW": (.power, 1e3), "watts": (.power, 1), "Watts": (.power, 1),
    "J": (.energy, 1), "mJ": (.energy, 1e-3), "uJ": (.energy, 1e-6), "µJ": (.energy, 1e-6),
    "kJ": (.energy, 1e3), "Wh": (.energy, 3600), "mWh": (.energy, 3.6), "kWh": (.energy, 3.6e6),
    "V": (.voltage, 1), "mV": (.voltage, 1e-3), "uV": (.voltage, 1e-6),
    "A": (.current, 1), "mA": (.current, 1e-3), "uA": (.current, 1e-6), "µA": (.current, 1e-6),
    "nA": (.current, 1e-9),
  ]

  /// The figures of a line, in order; none when it tells nothing of power.
  public func figures(_ line: String) -> [Figure] {
    var found: [Figure] = []
    var name = ""
    var pending: Double?
    var bare: [Double] = []
    let words = line.split(whereSeparator: { " \t\r,;=|".contains($0) })
    for word in words {
      if let value = pending {
        pending = nil
        if let unit = LineParser.units[String(word)] {
          found.append(
            Figure(name: name, quantity: unit.quantity, value: value * unit.factor)
          )
          name = ""
          continue
        }
        bare.append(value)
      }
      let first = word.split(separator: "/", maxSplits: 1).first ?? word
      let (number, rest) = LineParser.leadingNumber(first)
      if let number, rest.isEmpty {
        pending = number
      } else if let number, let unit = LineParser.units[String(rest)] {
        found.append(Figure(name: name, quantity: unit.quantity, value: number * unit.factor))
        name = ""
      } else {
        name = String(word.last == ":" ? word.dropLast() : word)
      }
    }
    if let pending { bare.append(pending) }
    if found.isEmpty, words.count == 1, bare.count == 1, let unit = LineParser.units[bareUnit] {
      return [Figure(name: "", quantity: unit.quantity, value: bare[0] * unit.factor)]
    }
    return withProduct(found)
  }

  /// The same figures with a power made of the only voltage and current, where there is none.
  private func withProduct(_ figures: [Figure]) -> [Figure] {
    guard !figures.contains(where: { $0.quantity == .power || $0.quantity == .energy }) else {
      return figures
    }
    let volts = figures.filter { $0.quantity == .voltage }
    let amperes = figures.filter { $0.quantity == .current }
    guard volts.count == 1, amperes.count == 1 else { return figures }
    let power = Figure(name: "", quantity: .power, value: volts[0].value * amperes[0].value)
    return [power] + figures
  }

  /// A decimal number at the beginning of a word, and what follows it.
  static func leadingNumber(_ word: Substring) -> (Double?, Substring) {
    var end = word.startIndex
    var hasDigit = false
    while end < word.endIndex {
      let character = word[end]
      if character.isASCII, character.isNumber {
        hasDigit = true
      } else if "+-".contains(character) {
        // A sign stands first, or after the letter of an exponent.
        let isFirst = end == word.startIndex
        guard isFirst || "eE".contains(word[word.index(before: end)]) else { break }
      } else if "eE".contains(character) {
        let next = word.index(after: end)
        guard hasDigit, next < word.endIndex,
          "+-".contains(word[next]) || (word[next].isASCII && word[next].isNumber)
        else { break }
      } else if character != "." {
        break
      }
      end = word.index(after: end)
    }
    guard hasDigit, let value = Double(word[..<end]), value.isFinite else { return (nil, word) }
    return (value, word[end...])
  }
}
