import AssayAccuracy
import AssayBase
import AssayData
import AssayHost
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssaySets

/// A folder of tiny pictures.
private func withPictures(
  _ files: [(name: String, gray: UInt8)],
  _ body: (String) throws -> Void
) throws {
  let folder = try Host.makeTemporaryFolder()
  defer { try? Host.remove(folder) }
  for (name, gray) in files {
    let path = Host.join(folder, name)
    try Host.makeFolders(Host.folder(of: path))
    let pixels = (0..<8 * 6 * 3).map { UInt8(truncatingIfNeeded: Int(gray) &+ $0) }
    let image = Image(width: 8, height: 6, channels: 3, pixels: pixels)
    try AtomicFile.write(try image.png(), to: path)
  }
  try body(folder)
}

private let classes: [(name: String, gray: UInt8)] = [
  ("n01/a.png", 1), ("n01/b.png", 2), ("n01/c.png", 3), ("n02/d.png", 4), ("n02/e.png", 5),
  ("n03/f.png", 6),
]

@Suite struct LabelledSetTests {
  /// The labels that a list gives a folder's pictures.
  private func labels(_ folder: String, _ text: String) throws -> [Int] {
    let list = Host.join(folder, "list.txt")
    try AtomicFile.write(text, to: list)
    let set = try SetSource.imagenet.index(folder, SetSource.Options(labels: list)).set
    return set.items.compactMap(\.label)
  }

  @Test func foldersAreClasses() throws {
    try withPictures(classes) { folder in
      let (set, findings) = try SetSource.folder.index(folder)
      #expect(set.items.count == 6 && findings.isEmpty)
      #expect(set.classes == ["n01", "n02", "n03"])
      #expect(set.items.map(\.label) == [0, 0, 0, 1, 1, 2])
      let part = set.selected(3, seed: 1)
      #expect(part.items.compactMap(\.label).sorted() == [0, 0, 1] || part.items.count == 3)
      #expect(part == set.selected(3, seed: 1))
      #expect(Set(set.selected(4, seed: 2).items.compactMap(\.label)).count == 3)
      let named = try set.selected(names: ["n03/f.png", "n01/a.png"], from: "list")
      #expect(named.items.map(\.name) == ["n01/a.png", "n03/f.png"])
      #expect(throws: Diagnostic.self) { try set.selected(names: ["x"], from: "list") }
    }
  }

  /// Words are numbered as the list of names has them; slips of the pen are told, not made classes of.
  @Test func wordsHaveTheNumbersOfTheirNames() throws {
    let flat: [(name: String, gray: UInt8)] = [("p1.png", 1), ("p2.png", 2), ("my cat.png", 3)]
    try withPictures(flat) { folder in
      let names = Host.join(folder, "names.txt")
      try AtomicFile.write("dog\ncat\n", to: names)
      func set(_ text: String) throws -> LabelledSet {
        let list = Host.join(folder, "list.csv")
        try AtomicFile.write(text, to: list)
        let options = SetSource.Options(labels: list, classNames: names)
        return try SetSource.imagenet.index(folder, options).set
      }
      let made = try set("p1.png,dog\np2.png,cat\n\"my cat.png\",cat\n")
      #expect(made.classes == ["dog", "cat"])
      #expect(made.items.map(\.name) == ["my cat.png", "p1.png", "p2.png"])
      #expect(made.items.map(\.label) == [1, 0, 1])
      let stranger = #expect(throws: Diagnostics.self) { try set("p1,dog\np2,cow\nmy cat,cat\n") }
      #expect(stranger?.all.first?.summary.contains("'cow'") == true)
      #expect(try labels(folder, "\u{FEFF}p1.png,4\np2.png,0\nmy cat.png,2\n") == [2, 4, 0])
      for slip in ["1O", "99999999999999999999", "3.0"] {
        let error = #expect(throws: (any Error).self) {
          try labels(folder, "p1.png,4\np2.png,\(slip)\nmy cat.png,2\n")
        }
        #expect(error.map { "\($0)".contains("'\(slip)'") } == true)
      }
    }
  }

  @Test func listsInAnyFormGiveLabels() throws {
    let flat: [(name: String, gray: UInt8)] = [("p1.png", 1), ("p2.png", 2), ("p3.png", 3)]
    try withPictures(flat) { folder in
      let kaggle = "ImageId,PredictionString\np1,n09 1 2 3 4\np2,n08 1 2 3 4\np3,n09 1 2 3 4\n"
      let forms: [(String, [Int])] = [
        ("p1.png 4\np2.png 0\np3.png 2\n", [4, 0, 2]), ("p1 n02\np2 n01\np3 n02\n", [1, 0, 1]),
        ("5\n6\n0\n", [5, 6, 0]), (kaggle, [1, 0, 1]),
      ]
      for (text, expected) in forms {
        let found = try labels(folder, text)
        #expect(found == expected)
      }
      // A label is missing, a picture is missing, a list of other pictures, a list of other length.
      for bad in ["p1 1\np2 2\n", "p1 1\np2 2\np3 3\np4 4\n", "q1 1\nq2 2\nq3 3\n", "1\n2\n"] {
        #expect(throws: (any Error).self) { try labels(folder, bad) }
      }
      // The development kit's order.
      let error = #expect(throws: Diagnostic.self) { try labels(folder, "1\n500\n1000\n") }
      #expect(error?.remedy?.contains("development kit") == true)
    }
  }

  @Test func brokenPicturesAreListedAndSkippedOnlyWhenToldSo() throws {
    try withPictures(classes) { folder in
      try AtomicFile.write("no picture", to: Host.join(folder, "n02/broken.png"))
      let work = Host.join(folder, ".work")
      try Host.makeFolders(work)
      let set = try SetSource.folder.index(folder).set
      let verification = SetVerification(folder: work, threads: 2)
      let error = #expect(throws: Diagnostic.self) {
        try verification.run(set, skipsBroken: false) { _ in }
      }
      #expect(error?.code == "DST009")
      var steps: [Int] = []
      let (verified, _) = try verification.run(set, skipsBroken: true) { steps.append($0) }
      // Of the journal nothing is read again but the broken one.
      #expect(steps.first == 6)
      #expect(verified.items.count == 6 && verified.skipped.map(\.name) == ["n02/broken.png"])
      #expect(verified.items.allSatisfy { $0.width == 8 && $0.height == 6 && !$0.sha256.isEmpty })
      // A file with other content of the same size is not taken for what it was.
      let place = Host.join(folder, "n02/d.png")
      let size = try #require(Host.byteCount(of: place))
      try AtomicFile.write(String(repeating: "x", count: size), to: place)
      let (fewer, _) = try verification.run(set, skipsBroken: true) { _ in }
      #expect(fewer.skipped.map(\.name).sorted() == ["n02/broken.png", "n02/d.png"])
    }
  }

  @Test func duplicatesAreFound() throws {
    try withPictures(classes + [("n03/twin.png", 1)]) { folder in
      let set = try SetSource.folder.index(folder).set
      let work = Host.join(folder, ".work")
      try Host.makeFolders(work)
      let (_, findings) = try SetVerification(folder: work, threads: 1)
        .run(set, skipsBroken: false) { _ in }
      #expect(findings.map(\.code) == ["DST011"])
      #expect(findings.first?.summary.contains("another label") == true)
    }
  }

  @Test func setsSurviveTheirFile() throws {
    try withPictures(classes) { folder in
      var (set, _) = try SetSource.folder.index(folder)
      let mask = Mask(Box(x: 1, y: 1, width: 3, height: 2), width: 8, height: 6)
      set.items[0].width = 8
      set.items[0].height = 6
      set.items[0].objects = [
        TruthObject(
          category: 2,
          box: Box(x: 1, y: 1, width: 3, height: 2),
          mask: mask,
          isCrowd: true
        )
      ]
      let read = try #require(try LabelledSet(json: JSON(parsing: set.json.text())))
      #expect(read == set && read.sha256 == set.sha256)
      #expect(throws: Diagnostic.self) { try LabelledSet(folder: folder) }
    }
  }

  @Test func preparationGoesOnWhereItStopped() throws {
    try withPictures(classes) { folder in
      let work = Host.join(folder, ".work")
      try Host.makeFolders(work)
      let indexed = try SetSource.folder.index(folder).set
      let (set, _) = try SetVerification(folder: work, threads: 1)
        .run(indexed, skipsBroken: false) { _ in }
      let input = TensorType(.float32, [1, 4, 4, 3])
      let torch = try Preprocessing.parse("torch,filter=antialias")
      let plain = try Preprocessing.parse("filter=antialias,layout=nhwc")
      func make(_ preprocessing: Preprocessing) throws -> Int {
        try PreparedPictures.make(
          setFolder: work,
          set: set,
          preprocessing: preprocessing,
          input: input,
          threads: 2
        ) { _ in }.made
      }
      func open(_ preprocessing: Preprocessing) -> PreparedPictures? {
        PreparedPictures(setFolder: work, set: set, preprocessing: preprocessing, input: input)
      }
      #expect(open(torch) == nil)
      var made = try make(torch)
      #expect(made == 6)
      // Networks that differ in their values only share the pictures.
      made = try make(plain)
      #expect(made == 0)
      let prepared = try #require(open(torch))
      for (index, item) in set.items.enumerated() {
        let image = try Image.read(path: item.path)
        let (found, expected) = (
          try prepared.picture(at: index), try torch.picture(image, for: input)
        )
        #expect(found == expected)
      }
      // A part without the final file is no preparation, but is not made again.
      let place = try PreparedPictures.folder(work, set, torch, input)
      try Host.remove(Host.join(place, "prepared.json"))
      #expect(open(torch) == nil)
      made = try make(torch)
      #expect(made == 0)
      // A part that was cut off is.
      try Host.remove(Host.join(place, "prepared.json"))
      try AtomicFile.write("short", to: Host.join(place, PreparedPictures.name(0)))
      made = try make(torch)
      #expect(made == 6)
      // Unrounded pictures are kept as floats.
      let bilinear = try Preprocessing.parse("torch")
      made = try make(bilinear)
      #expect(made == 6)
      let image = try Image.read(path: set.items[0].path)
      let (found, expected) = (
        try open(bilinear)?.picture(at: 0), try bilinear.picture(image, for: input)
      )
      #expect(found == expected)
    }
  }

  @Test func textsAreRead() throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let path = Host.join(folder, "dev.tsv")
    try AtomicFile.write("sentence\tlabel\na good film \t1\nbad\t0\n", to: path)
    let (set, _) = try SetSource.tsv.index(path)
    #expect(set.task == .text && set.items.map(\.label) == [1, 0])
    #expect(set.items[0].text == "a good film")
    try AtomicFile.write("sentence\tlabel\nno label\n", to: path)
    #expect(throws: Diagnostic.self) { try SetSource.tsv.index(path) }
    try AtomicFile.write("a\tb\nx\t1\n", to: path)
    #expect(throws: Diagnostic.self) { try SetSource.tsv.index(path) }
  }

  @Test func colorsOfRegionsAreClasses() throws {
    let colors = [LabelMaps.vocColor(0), LabelMaps.vocColor(12), LabelMaps.vocColor(255)]
    #expect(colors[1] == (64, 0, 128) && colors[2] == (224, 224, 192))
    let pixels = colors.flatMap { [$0.r, $0.g, $0.b] }
    let image = Image(width: 3, height: 1, channels: 3, pixels: pixels)
    #expect(try SetSource.regions(image, classCount: 21) == [0, 12, 255])
    let odd = Image(width: 1, height: 1, channels: 3, pixels: [1, 2, 3])
    #expect(throws: Diagnostic.self) { try SetSource.regions(odd, classCount: 21) }
  }

  @Test func offsetsOfLabelsAreFound() {
    let shifted = (0..<30).map { (predicted: $0 % 7 == 0 ? 3 : $0 + 1, label: $0) }
    #expect(LabelMaps.offset(shifted) == 1)
    #expect(LabelMaps.offset((0..<30).map { (predicted: $0, label: $0) }) == nil)
    #expect(LabelMaps.offset([(1, 0), (2, 1)]) == nil)
    #expect(LabelMaps.cocoIDs.count == 80 && LabelMaps.coco80.count == 80)
    #expect(LabelMaps.cocoIndex(89, of: 90) == 79)
    #expect(LabelMaps.cocoIndex(11, of: 90) == nil)
    #expect(LabelMaps.cocoIndex(13, of: 91) == 11)
  }
}
