/// The finds of one class over all pictures, each with what it was matched to.
struct CategoryMatches: Sendable {
  /// One find for one size of objects: a bit for each overlap of the rules.
  struct Flags: Sendable {
    var matched: UInt16 = 0
    var ignored: UInt16 = 0
  }

  /// The scores, sorted from the highest; of equals the earlier picture's comes first.
  private(set) var scores: [Double] = []
  /// The picture of each find.
  private(set) var images: [Int32] = []
  /// The place of each find among those of its picture.
  private(set) var ranks: [Int32] = []
  /// For each size, the flags of each find.
  private(set) var flags: [[Flags]] = DetectionRules.Size.allCases.map { _ in [] }
  /// For each size, how many objects each picture has that must be found, by picture.
  private(set) var wanted: [[(image: Int32, count: Int32)]] = DetectionRules.Size.allCases.map {
    _ in
    []
  }

  /// Matches one class.
  ///
  /// - Parameter members: for each picture that has objects or finds of the class, their indices.
  init(
    _ members: [(image: Int, truths: [Int], found: [Int])],
    of images: [DetectedImage],
    kind: DetectionRules.Kind
  ) {
    for member in members {
      let truths = member.truths.map { images[member.image].truths[$0] }
      // Sorting is stable: of equal scores, the network's order holds.
      let found = member.found.map { images[member.image].found[$0] }.enumerated()
        .sorted { ($1.element.score, $0.offset) < ($0.element.score, $1.offset) }
        .prefix(DetectionRules.maximumFinds).map(\.element)
      let areas = found.map { kind == .mask ? Double($0.mask?.area ?? 0) : $0.box.area }
      let overlaps = CategoryMatches.overlaps(found, areas, truths, kind)
      for find in found.indices {
        scores.append(found[find].score)
        self.images.append(Int32(member.image))
        ranks.append(Int32(find))
      }
      for size in DetectionRules.Size.allCases {
        let range = size.areas
        let isIgnored = truths.map { $0.isCrowd || !range.contains($0.area) }
        let count = isIgnored.count { !$0 }
        if count > 0 { wanted[size.rawValue].append((Int32(member.image), Int32(count))) }
        flags[size.rawValue] += CategoryMatches.match(
          areas,
          overlaps,
          truths.map(\.isCrowd),
          isIgnored,
          range
        )
      }
    }
    sort()
  }

  private mutating func sort() {
    let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
    scores = order.map { scores[$0] }
    images = order.map { images[$0] }
    ranks = order.map { ranks[$0] }
    flags = flags.map { column in order.map { column[$0] } }
  }

  /// The overlap of each find with each object, finds by rows.
  private static func overlaps(
    _ found: [FoundObject],
    _ areas: [Double],
    _ truths: [TruthObject],
    _ kind: DetectionRules.Kind
  ) -> [Double] {
    guard !truths.isEmpty else { return [] }
    var result: [Double] = []
    result.reserveCapacity(found.count * truths.count)
    let truthAreas = kind == .mask ? truths.map { Double($0.mask?.area ?? 0) } : []
    for (index, find) in found.enumerated() {
      for (column, truth) in truths.enumerated() {
        switch kind {
        case .box: result.append(find.box.overlap(truth: truth.box, isCrowd: truth.isCrowd))
        case .mask:
          // Masks whose boxes are apart share nothing.
          guard let a = find.mask, let b = truth.mask else {
            result.append(0)
            continue
          }
          let shared = Double(a.intersection(b))
          let whole = truth.isCrowd ? areas[index] : areas[index] + truthAreas[column] - shared
          result.append(shared > 0 ? shared / whole : 0)
        }
      }
    }
    return result
  }

  /// Gives each find, best first, the free object that it overlaps most; those that must be found go
  /// before those that are ignored.
  private static func match(
    _ areas: [Double],
    _ overlaps: [Double],
    _ isCrowd: [Bool],
    _ isIgnored: [Bool],
    _ range: ClosedRange<Double>
  ) -> [Flags] {
    let outside = areas.map { !range.contains($0) }
    var result = [Flags](repeating: Flags(), count: areas.count)
    let columns = isIgnored.count
    let order =
      isIgnored.indices.filter { !isIgnored[$0] } + isIgnored.indices.filter { isIgnored[$0] }
    var isTaken = [Bool](repeating: false, count: columns)
    for (bit, threshold) in DetectionRules.overlaps.enumerated() {
      let mask = UInt16(1) << UInt16(bit)
      for column in 0..<columns { isTaken[column] = false }
      for find in areas.indices {
        var best = min(threshold, 1 - 1e-10)
        var match = -1
        let row = find * columns
        for column in order {
          if isTaken[column], !isCrowd[column] { continue }
          // What must be found is not given up for what is ignored.
          if match >= 0, !isIgnored[match], isIgnored[column] { break }
          if overlaps[row + column] < best { continue }
          best = overlaps[row + column]
          match = column
        }
        if match >= 0 {
          isTaken[match] = true
          result[find].matched |= mask
          if isIgnored[match] { result[find].ignored |= mask }
        } else if outside[find] {
          result[find].ignored |= mask
        }
      }
    }
    return result
  }
}
