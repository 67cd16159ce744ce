/// Small letters for pictures: capitals, digits and a few marks, three pixels by five.
enum Lettering {
  /// Five rows from the top, each a digit whose three bits are the pixels from the left.
  private static let rows: [Character: [UInt8]] = [
    "A": [2, 5, 7, 5, 5], "B": [6, 5, 6, 5, 6], "C": [3, 4, 4, 4, 3], "D": [6, 5, 5, 5, 6],
    "E": [7, 4, 6, 4, 7], "F": [7, 4, 6, 4, 4], "G": [3, 4, 5, 5, 3], "H": [5, 5, 7, 5, 5],
    "I": [7, 2, 2, 2, 7], "J": [1, 1, 1, 5, 2], "K": [5, 5, 6, 5, 5], "L": [4, 4, 4, 4, 7],
    "M": [5, 7, 7, 5, 5], "N": [6, 5, 5, 5, 5], "O": [2, 5, 5, 5, 2], "P": [6, 5, 6, 4, 4],
    "Q": [2, 5, 5, 6, 3], "R": [6, 5, 6, 5, 5], "S": [3, 4, 2, 1, 6], "T": [7, 2, 2, 2, 2],
    "U": [5, 5, 5, 5, 7], "V": [5, 5, 5, 5, 2], "W": [5, 5, 7, 7, 5], "X": [5, 5, 2, 5, 5],
    "Y": [5, 5, 2, 2, 2], "Z": [7, 1, 2, 4, 7], "0": [7, 5, 5, 5, 7], "1": [2, 6, 2, 2, 7],
    "2": [6, 1, 2, 4, 7], "3": [6, 1, 2, 1, 6], "4": [5, 5, 7, 1, 1], "5": [7, 4, 6, 1, 6],
    "6": [3, 4, 7, 5, 7], "7": [7, 1, 2, 2, 2], "8": [7, 5, 7, 5, 7], "9": [7, 5, 7, 1, 6],
    ".": [0, 0, 0, 0, 2], "-": [0, 0, 7, 0, 0], "%": [5, 1, 2, 4, 5], "/": [1, 1, 2, 4, 4],
    "#": [5, 7, 5, 7, 5], "?": [6, 1, 2, 0, 2],
  ]

  /// The width of a text in letters' pixels.
  static func width(_ text: String) -> Int { max(text.count * 4 - 1, 0) }

  /// Calls `body` for each pixel of a text, from its upper left corner.
  static func draw(_ text: String, _ body: (_ x: Int, _ y: Int) -> Void) {
    for (place, letter) in text.uppercased().enumerated() {
      guard let shape = rows[letter] else { continue }
      for (y, row) in shape.enumerated() {
        for x in 0..<3 where row & (4 >> UInt8(x)) != 0 { body(place * 4 + x, y) }
      }
    }
  }
}
