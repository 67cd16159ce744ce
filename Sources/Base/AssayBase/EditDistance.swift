/// The known name that a user most likely meant.
///
/// - Returns: the candidate with the least edit distance (insert, delete, replace, swap neighbours),
///   when that is at most a third of the word's length, else `nil`.
public func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
  let limit = max(1, word.count / 3)
  let ranked = candidates.map {
    (name: $0, distance: editDistance(word.lowercased(), $0.lowercased()))
  }
  guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= limit else {
    return nil
  }
  return best.name
}

private func editDistance(_ a: String, _ b: String) -> Int {
  let x = Array(a)
  let y = Array(b)
  if x.isEmpty || y.isEmpty { return max(x.count, y.count) }
  var before: [Int] = []
  var previous = Array(0...y.count)
  for i in 1...x.count {
    var row = [i]
    for j in 1...y.count {
      let replace = previous[j - 1] + (x[i - 1] == y[j - 1] ? 0 : 1)
      var best = min(previous[j] + 1, row[j - 1] + 1, replace)
      if i > 1, j > 1, x[i - 1] == y[j - 2], x[i - 2] == y[j - 1] {
        best = min(best, before[j - 2] + 1)
      }
      row.append(best)
    }
    before = previous
    previous = row
  }
  return previous[y.count]
}
