import AssayBase
import AssayCodec
import AssayHost
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayData

/// A folder for one test's files.
private struct Scratch: ~Copyable {
  let path: String
  init() throws { path = try Host.makeTemporaryFolder("assay-data-tests") }
  deinit { try? Host.remove(path) }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let full = path + "/" + name
    try Host.makeFolders(Host.folder(of: full))
    try AtomicFile.write(text, to: full)
    return full
  }

  /// A gray picture of one value.
  func picture(_ name: String, _ value: Int) throws {
    try write(name, "P2 2 2 255 \(value) \(value) \(value) \(value)\n")
  }

  @discardableResult
  func arrays(_ name: String, _ arrays: [(name: String, tensor: Tensor)]) throws -> String {
    try AtomicFile.write(NPZ.write(arrays), to: path + "/" + name)
    return path + "/" + name
  }
}

private let picture = [DataInput(name: "in", type: TensorType(.float32, [1, 2, 2, 1]))]

/// The codes and places of what `body` throws.
private func findings(_ body: () throws -> Void) -> [String] {
  do {
    try body()
    return []
  } catch let error as Diagnostic {
    return [error.code + " " + (error.location.last ?? "")]
  } catch let error as Diagnostics {
    return error.all.map { $0.code + " " + ($0.location.last ?? "") }
  } catch {
    return ["\(error)"]
  }
}

@Suite struct DatasetTests {
  @Test func aFolderIsReadInOrder() throws {
    let scratch = try Scratch()
    for (name, value) in [("b.pgm", 2), ("a.pgm", 1), ("c.PGM", 3)] {
      try scratch.picture(name, value)
    }
    try scratch.write("notes.md", "not data")
    try scratch.write(".hidden.pgm", "P2 1 1 1 1")
    let data = try Dataset.open(path: scratch.path, inputs: picture)
    #expect(data.names == ["a.pgm", "b.pgm", "c.PGM"])
    let samples = try data.samples(threads: 3)
    #expect(samples.map { $0.inputs["in"]?.floats().first } == [1, 2, 3])
    #expect(samples[0].inputs["in"]?.shape == [1, 2, 2, 1])
    #expect(data.labelledCount == 0)
  }

  @Test func foldersOfAFolderAreClasses() throws {
    let scratch = try Scratch()
    try scratch.picture("dog/1.pgm", 5)
    try scratch.picture("cat/2.pgm", 6)
    try scratch.picture("cat/1.pgm", 7)
    let data = try Dataset.open(path: scratch.path, inputs: picture)
    #expect(data.labelNames == ["cat", "dog"])
    #expect(data.names == ["cat/1.pgm", "cat/2.pgm", "dog/1.pgm"])
    #expect(data.labels == [0, 0, 1])
    let names = try scratch.write("names.txt", "dog\nbird\ncat\n")
    #expect(
      try Dataset.open(path: scratch.path, inputs: picture, labelNames: names).labels == [2, 2, 0]
    )
    let other = try scratch.write("other.txt", "dog\ncats\n")
    #expect(
      findings { _ = try Dataset.open(path: scratch.path, inputs: picture, labelNames: other) }
        == ["DAT032 \(scratch.path)"]
    )
  }

  @Test func labelsByIndexAndByName() throws {
    let scratch = try Scratch()
    for index in 0..<4 { try scratch.picture("\(index).pgm", index) }
    let byIndex = try scratch.write("i.csv", "file,label\n0.pgm,3\r\n2.pgm, 1\n")
    let a = try Dataset.open(path: scratch.path, inputs: picture, labels: byIndex)
    #expect(a.labels == [3, nil, 1, nil])
    #expect(a.labelled.count == 2)
    let byName = try scratch.write(
      "n.csv",
      "\u{FEFF}label,file,note\nzebra,\"0.pgm\",\"a, \"\"b\"\"\"\nape,1.pgm,\n"
    )
    let b = try Dataset.labelled(csv: byName, inputs: picture)
    #expect(b.labelNames == ["ape", "zebra"])
    #expect(b.labels == [1, 0])
    #expect(try b.sample(at: 0).inputs["in"]?.floats().first == 0)
    let names = try scratch.write("names.txt", "ape\nbee\nzebra\n")
    #expect(
      try Dataset.labelled(csv: byName, inputs: picture, labelNames: names).labels == [2, 0]
    )
  }

  @Test func everyBadLineIsNamedAtOnce() throws {
    let scratch = try Scratch()
    try scratch.picture("a.pgm", 1)
    let csv = try scratch.write(
      "l.csv",
      "file,label\na.pgm,0\n\nb.pgm\nc.pgm,\na.pgm,1\nd.pgm,12\ne.pgm,-1\n"
    )
    #expect(
      findings { _ = try Dataset.labelled(csv: csv, inputs: picture, classCount: 10) } == [
        "DAT031 line 4", "DAT031 line 5", "DAT031 line 6", "DAT032 line 7", "DAT032 line 8",
      ]
    )
    let missing = try scratch.write("m.csv", "file,label\nx.pgm,0\na.pgm,1\ny.pgm,0\n")
    #expect(
      findings { _ = try Dataset.labelled(csv: missing, inputs: picture) }
        == ["DAT024 line 2", "DAT024 line 4"]
    )
    let headless = try scratch.write("h.csv", "a.pgm,1\n")
    #expect(
      findings { _ = try Dataset.labelled(csv: headless, inputs: picture) } == ["DAT030 line 1"]
    )
    let open = try scratch.write("q.csv", "file,label\n\"a.pgm,1\n")
    #expect(findings { _ = try Dataset.labelled(csv: open, inputs: picture) } == ["DAT031 line 2"])
    let list = try scratch.write("list.txt", "# comment\na.pgm\nnone.pgm\n")
    #expect(findings { _ = try Dataset.open(path: list, inputs: picture) } == ["DAT024 line 3"])
  }

  @Test func everyUnreadableSampleIsNamedAtOnce() throws {
    let scratch = try Scratch()
    try scratch.picture("a.pgm", 1)
    try scratch.write("b.pgm", "P2 2 2 255 1")
    try scratch.write("c.png", "no picture")
    let data = try Dataset.open(path: scratch.path, inputs: picture)
    let places = findings { _ = try data.samples(threads: 2) }
    #expect(places == ["DAT003 \(scratch.path)/b.pgm", "DAT001 \(scratch.path)/c.png"])
  }

  @Test func arraysFeedByName() throws {
    let scratch = try Scratch()
    let x = Tensor((0..<12).map { Float($0) }, [3, 2, 2])
    let y = Tensor([Int32(1), 0, 2], [3])
    let two = Tensor([Float(7), 8, 9], [3, 1])
    let path = try scratch.arrays("d.npz", [("x", x), ("y", y)])
    let data = try Dataset.open(path: path, inputs: picture)
    #expect(data.labels == [1, 0, 2])
    #expect(data.names == ["d.npz[0]", "d.npz[1]", "d.npz[2]"])
    let sample = try data.sample(at: 2)
    #expect(sample.inputs["in"]?.shape == [1, 2, 2, 1])
    #expect(sample.inputs["in"]?.floats() == [8, 9, 10, 11])
    let both = picture + [DataInput(name: "b", type: TensorType(.float32, [-1, 1]))]
    let named = try scratch.arrays("n.npz", [("in", x), ("b", two)])
    #expect(try Dataset.open(path: named, inputs: both).sample(at: 1).inputs["b"]?.floats() == [8])
    #expect(findings { _ = try Dataset.open(path: path, inputs: both) } == ["DAT023 \(path)"])
    let lone = scratch.path + "/x.npy"
    try AtomicFile.write(NPY.write(x.reshaped([3, 2, 2, 1])), to: lone)
    #expect(try Dataset.open(path: lone, inputs: picture).count == 3)
    let wrong = scratch.path + "/w.npy"
    try AtomicFile.write(NPY.write(x.reshaped([4, 3])), to: wrong)
    #expect(findings { _ = try Dataset.open(path: wrong, inputs: picture) } == ["DAT022 \(wrong)"])
    let uneven = try scratch.arrays("u.npz", [("in", x), ("b", two.reshaped([1, 3, 1]))])
    #expect(!findings { _ = try Dataset.open(path: uneven, inputs: both) }.isEmpty)
  }

  @Test func integerArraysAreTakenForPictures() throws {
    let scratch = try Scratch()
    let bytes = Tensor([UInt8](repeating: 51, count: 8), [2, 2, 2, 1], dtype: .uint8)
    let path = try scratch.arrays("d.npz", [("x", bytes)])
    let scaled = try Dataset.open(
      path: path,
      inputs: picture,
      preprocessing: Preprocessing.parse("scale=1/255")
    )
    #expect(try scaled.sample(at: 0).inputs["in"]?.floats() == [0.2, 0.2, 0.2, 0.2])
    let floats = try scratch.arrays(
      "f.npz",
      [("x", Tensor([Float](repeating: 51, count: 4), [1, 2, 2, 1]))]
    )
    let kept = try Dataset.open(
      path: floats,
      inputs: picture,
      preprocessing: Preprocessing.parse("scale=1/255")
    )
    #expect(try kept.sample(at: 0).inputs["in"]?.floats() == [51, 51, 51, 51])
    // Token ids stay what they are.
    let ids = [DataInput(name: "ids", type: TensorType(.int32, [1, 4]))]
    let tokens = try scratch.arrays("t.npz", [("ids", Tensor([Int32(5), 6, 7, 8], [1, 4]))])
    #expect(
      try Dataset.open(path: tokens, inputs: ids).sample(at: 0).inputs["ids"]?.integers() == [
        5, 6, 7, 8,
      ]
    )
  }

  @Test func subsetsAreStratifiedAndSeeded() throws {
    let samples = (0..<100).map { index in
      Sample(
        name: "\(index)",
        inputs: ["in": Tensor([Float(index)], [1])],
        label: index % 10 == 0 ? 1 : 0
      )
    }
    let data = Dataset(
      inputs: [DataInput(name: "in", type: TensorType(.float32, [1]))],
      samples: samples
    )
    let a = data.subset(20, seed: 5)
    #expect(a.count == 20)
    #expect(a.labels.count { $0 == 1 } == 2)
    #expect(a.names == data.subset(20, seed: 5).names)
    #expect(a.names != data.subset(20, seed: 6).names)
    #expect(a.names == a.names.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) })
    #expect(data.subset(1000).count == 100)
    #expect(data.subset(7, seed: 1).count == 7)
    #expect(data.subset(0).count == 0)
  }

  @Test func randomDataAreTheSameEverywhere() throws {
    let inputs = [DataInput(name: "in", type: TensorType(.float32, [-1, 3]))]
    let a = Dataset.random(inputs: inputs, count: 2, seed: 9, range: -1..<1)
    let b = Dataset.random(inputs: inputs, count: 2, seed: 9, range: -1..<1)
    #expect(try a.sample(at: 1).inputs["in"]?.floats() == b.sample(at: 1).inputs["in"]?.floats())
    #expect(try a.sample(at: 1).inputs["in"]?.shape == [1, 3])
    #expect(try a.sample(at: 0).inputs["in"]?.floats() != a.sample(at: 1).inputs["in"]?.floats())
  }

  @Test func emptyAndAbsentDataAreRefused() throws {
    let scratch = try Scratch()
    #expect(
      findings { _ = try Dataset.open(path: scratch.path, inputs: picture) } == [
        "DAT021 \(scratch.path)"
      ]
    )
    #expect(
      findings { _ = try Dataset.open(path: scratch.path + "/no", inputs: picture) } == [
        "DAT020 \(scratch.path)/no"
      ]
    )
  }

  @Test func theDigitsExampleIsRead() throws {
    guard ImageCodec.png.probe().isAvailable else { return }
    let inputs = [DataInput(name: "in", type: TensorType(.float32, [1, 16, 16, 1]))]
    let data = try Dataset.labelled(
      csv: TestData.package + "/Examples/digits/images/labels.csv",
      inputs: inputs,
      preprocessing: Preprocessing.parse("scale=1/255"),
      classCount: 10
    )
    #expect(data.count == 200)
    #expect(data.labelledCount == 200)
    let samples = try data.samples(threads: 2)
    let greatest = samples.compactMap { $0.inputs["in"]?.floats().max() }.max()
    #expect((greatest ?? 0) <= 1 && (greatest ?? 0) > 0.9)
  }
}

@Suite struct MetricsTests {
  @Test func accuracyCountsFirstAndFirstFive() {
    var counter = AccuracyCounter()
    counter.add(scores: [0.1, 0.5, 0.2, 0, 0, 0.9], label: 5)
    counter.add(scores: [0.1, 0.5, 0.2, 0, 0, 0.9], label: 1)
    counter.add(scores: [0.1, 0.5, 0.2, 0, -1, 0.9], label: 4)
    counter.add(scores: [.nan, .nan, .nan, .nan, .nan, .nan], label: 3)
    #expect(counter.top1 == Proportion(1, of: 4))
    #expect(counter.top5 == Proportion(3, of: 4))
    var few = AccuracyCounter()
    few.add(scores: [0.7], label: 1)
    few.add(scores: [0.3], label: 0)
    few.add(scores: [.nan], label: 0)
    #expect(few.top1 == Proportion(3, of: 3))
    #expect(few.top5 == nil)
  }

  @Test func equalScoresGoToTheFirst() {
    #expect(argmax([1, 2, 2]) == 1)
    #expect(argmax([]) == 0)
    #expect(argmax([.nan, -1]) == 1)
    #expect(topIndices([1, 3, 3, .nan], count: 3) == [1, 2, 0])
  }

  @Test func agreement() {
    var agreement = AgreementCounter()
    agreement.add([1, 0], reference: [5, 1])
    agreement.add([1, 0], reference: [0, 1])
    #expect(agreement.proportion == Proportion(1, of: 2))
  }
}

@Suite struct ParallelTests {
  @Test(arguments: [0, 1, 2, 100], [1, 2, 9])
  func everyIndexIsVisitedOnce(count: Int, threads: Int) throws {
    let samples = (0..<count).map { Sample(name: "\($0)", inputs: ["a": Tensor([Float($0)], [1])]) }
    let data = Dataset(
      inputs: [DataInput(name: "a", type: TensorType(.float32, [1]))],
      samples: samples
    )
    #expect(try data.samples(threads: threads).map(\.name) == (0..<count).map(String.init))
  }
}
