import AssayBase
import AssayCodec
import AssayHost
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayData

/// A folder of tiny PPM pictures, a folder for each class.
private func withPictures<T>(
  _ classes: [String: Int],
  _ body: (String) throws -> T
) throws -> T {
  let folder = try Host.makeTemporaryFolder("training-data")
  defer { try? Host.remove(folder) }
  for (name, count) in classes {
    try Host.makeFolders(Host.join(folder, name))
    for index in 0..<count {
      let pixels = (0..<48).map { UInt8(truncatingIfNeeded: $0 * 5 + index * 7) }
      let image = Image(width: 4, height: 4, channels: 3, pixels: pixels)
      try AtomicFile.write(image.png(), to: Host.join(folder, "\(name)/\(index).png"))
    }
  }
  return try body(folder)
}

private let input = DataInput(name: "image", type: TensorType(.float32, [1, 4, 4, 3]))

@Suite struct TrainingDataTests {
  private func open(_ folder: String) throws -> Dataset {
    try Dataset.open(path: folder, inputs: [input], preprocessing: try .parse("scale=1/255"))
  }

  @Test func batchesAreWhatTheDatasetGives() throws {
    try withPictures(["a": 3, "b": 2]) { folder in
      let dataset = try open(folder)
      for cache in [TrainingData.Cache.memory, .files(folder + "/cache"), .none, .automatic] {
        let data = try TrainingData(dataset, cache: cache)
        #expect(data.labels == [0, 0, 0, 1, 1])
        // Whole values are kept as bytes.
        #expect(data.cachedByteCount == (cache == .none ? 0 : 5 * 48))
        let batch = try #require(try data.batch([4, 1], epoch: 0, seed: 1, threads: 2)["image"])
        let expected =
          try [4, 1].flatMap { try #require(dataset.sample(at: $0).inputs["image"]).floats() }
        #expect(batch.shape == [2, 4, 4, 3])
        #expect(batch.floats() == expected)
        #expect(
          try data.values(at: 4, epoch: 0, seed: 1) + data.values(at: 1, epoch: 0, seed: 1)
            == [Array(expected[..<48]), Array(expected[48...])]
        )
      }
      #expect(try Host.list(folder + "/cache").isEmpty)
    }
  }

  @Test func orderAndVariationsFollowSeedAndEpoch() throws {
    try withPictures(["a": 20, "b": 20]) { folder in
      let data = try TrainingData(open(folder), augmentation: .standard)
      #expect(data.order(epoch: 0, seed: 1).sorted() == Array(0..<40))
      #expect(data.order(epoch: 0, seed: 1) == data.order(epoch: 0, seed: 1))
      #expect(data.order(epoch: 0, seed: 1) != data.order(epoch: 1, seed: 1))
      #expect(data.order(epoch: 0, seed: 1) != data.order(epoch: 0, seed: 2))
      func values(_ epoch: Int?, _ seed: UInt64) throws -> [Float] {
        try data.batch([3, 30], epoch: epoch, seed: seed)["image"]?.floats() ?? []
      }
      #expect(try values(0, 1) == values(0, 1))
      #expect(try values(0, 1) != values(1, 1))
      #expect(try values(0, 1) != values(0, 2))
      #expect(try values(nil, 1) == values(nil, 2))
      #expect(try values(2, 1).allSatisfy { (0...1).contains($0) })
    }
  }

  @Test func theSplitIsSeededAndKeepsProportions() throws {
    try withPictures(["a": 30, "b": 10]) { folder in
      let dataset = try open(folder)
      let (training, validation) = try dataset.split(validation: 0.25, seed: 42)
      #expect(training.count == 30 && validation.count == 10)
      #expect(validation.labels.count { $0 == 1 } == 2 || validation.labels.count { $0 == 1 } == 3)
      #expect(Set(training.names).isDisjoint(with: validation.names))
      #expect(try dataset.split(validation: 0.25, seed: 42).validation.names == validation.names)
      #expect(try dataset.split(validation: 0.25, seed: 1).validation.names != validation.names)
      #expect(throws: Diagnostic.self) { try dataset.split(validation: 0.001, seed: 1) }
    }
  }

  @Test func brokenFilesAreToldTogether() throws {
    try withPictures(["a": 3, "b": 3]) { folder in
      for name in ["a/7.png", "b/8.png"] {
        try AtomicFile.write(
          [ByteView([0x89, 0x50, 0x4E, 0x47] as [UInt8])],
          to: "\(folder)/\(name)"
        )
      }
      let dataset = try open(folder)
      let faults = #expect(throws: Diagnostics.self) { try TrainingData(dataset) }
      let places = faults?.all.compactMap(\.location.first) ?? []
      #expect(
        places.map { Host.name(of: $0) } == ["7.png", "8.png"],
        "\(String(describing: faults))"
      )
      let rest = try TrainingData(dataset, skipsBroken: true)
      #expect(rest.count == 6 && rest.labels == [0, 0, 0, 1, 1, 1])
      #expect(rest.skipped.count == 2 && rest.skipped.allSatisfy { $0.severity == .warning })
    }
  }

  @Test func aClassWithoutImagesIsNamed() throws {
    try withPictures(["a": 2, "b": 0, "c": 2]) { folder in
      let fault = #expect(throws: Diagnostic.self) { try open(folder).requireEveryClass() }
      #expect(fault?.summary.contains("'b'") == true)
    }
    try withPictures(["a": 2]) { folder in
      let fault = #expect(throws: Diagnostic.self) { try open(folder).requireEveryClass() }
      #expect(fault?.code == "DAT044")
    }
    try withPictures(["a": 1, "b": 1]) { folder in try open(folder).requireEveryClass() }
  }

  @Test func arraysOfPicturesAndOfNumbers() throws {
    let folder = try Host.makeTemporaryFolder("training-arrays")
    defer { try? Host.remove(folder) }
    let bytes = (0..<96).map { UInt8($0 * 2) }
    let y = Tensor([Int32(1), 0], [2])
    try AtomicFile.write(
      NPZ.write([("x", Tensor(bytes, [2, 4, 4, 3], dtype: .uint8)), ("y", y)]),
      to: folder + "/pictures.npz"
    )
    let pictures = try TrainingData(open(folder + "/pictures.npz"), augmentation: .standard)
    #expect(pictures.labels == [1, 0] && pictures.cachedByteCount == 96)
    let plain = try #require(try pictures.batch([1], epoch: nil, seed: 0)["image"]).floats()
    #expect(plain == bytes[48...].map { Float($0) / 255 })
    #expect(try pictures.batch([1], epoch: 1, seed: 0)["image"]?.floats() != plain)
    let numbers = bytes.map { Float($0) }
    try AtomicFile.write(
      NPZ.write([("x", Tensor(numbers, [2, 4, 4, 3])), ("y", y)]),
      to: folder + "/numbers.npz"
    )
    let data = try TrainingData(open(folder + "/numbers.npz"))
    #expect(try data.batch([0], epoch: 0, seed: 0)["image"]?.floats() == Array(numbers[..<48]))
    let varied = try TrainingData(open(folder + "/numbers.npz"), augmentation: .standard)
    #expect(throws: Diagnostic.self) { try varied.batch([0], epoch: 0, seed: 0) }
  }
}

@Suite struct AugmentationTests {
  private let picture = Picture(
    width: 3,
    height: 2,
    channels: 1,
    values: [0, 10, 20, 100, 110, 120]
  )

  @Test func aFlipMirrorsAndNothingElseChanges() {
    var flip = Augmentation()
    flip.flips = true
    var rng = SeededRNG(seed: 1)
    let results = Set((0..<20).map { _ in flip.applied(to: picture, using: &rng).values })
    #expect(results == [picture.values, [20, 10, 0, 120, 110, 100]])
    flip.flips = false
    flip.flipsVertically = true
    let others = Set((0..<20).map { _ in flip.applied(to: picture, using: &rng).values })
    #expect(others == [picture.values, [100, 110, 120, 0, 10, 20]])
  }

  @Test func aShiftMirrorsAtTheBorder() {
    var shift = Augmentation()
    shift.shift = 0.9
    var rng = SeededRNG(seed: 2)
    for _ in 0..<50 {
      let values = shift.applied(to: picture, using: &rng).values
      #expect(values.allSatisfy { (0...120).contains($0) })
    }
  }

  @Test func colorsStayInRangeAndBrightnessMovesTheMean() {
    var bright = Augmentation()
    bright.brightness = 0.5
    bright.contrast = 0.5
    var rng = SeededRNG(seed: 3)
    let means = (0..<40).map { _ -> Float in
      let values = bright.applied(to: picture, using: &rng).values
      #expect(values.allSatisfy { (0...255).contains($0) })
      return values.reduce(0, +) / 6
    }
    #expect((means.max() ?? 0) > 90 && (means.min() ?? 99) < 35)
  }

  @Test func wordsAreReadAndWritten() throws {
    let text = "flip,crop=0.25,rotate=10,color=0.5"
    #expect(try Augmentation(parsing: text).text == text)
    #expect(try Augmentation(parsing: "standard") == .standard)
    #expect(try Augmentation(parsing: "none") == .none)
    for bad in ["flop", "crop", "crop=2", "rotate=x", "flip=1", "shift=-1"] {
      let fault = #expect(throws: Diagnostic.self) { try Augmentation(parsing: bad) }
      #expect(fault?.code == "DAT040")
    }
  }
}

@Suite struct FireSceneTests {
  @Test func aSeedGivesTheSamePictures() {
    let scenes = FireScene(seed: 5, side: 32)
    let first = scenes.image(3, isBurning: true)
    #expect(first == scenes.image(3, isBurning: true))
    #expect(first != scenes.image(4, isBurning: true))
    #expect(first != scenes.image(3, isBurning: false))
    #expect(first != FireScene(seed: 6, side: 32).image(3, isBurning: true))
    #expect(first.width == 32 && first.height == 32 && first.channels == 3)
  }

  /// The best threshold on how much of a picture is flame-colored must leave a good part of the
  /// pictures wrong: color alone is not the task.
  @Test func colorAloneDoesNotTellTheClassesApart() {
    let scenes = FireScene(seed: 1, side: 32)
    func warmth(_ image: Image) -> Double {
      let warm = stride(from: 0, to: image.pixels.count, by: 3).count { at in
        let (r, g, b) = (image.pixels[at], image.pixels[at + 1], image.pixels[at + 2])
        return r > 150 && Int(r) > Int(g) + 30 && g > b
      }
      return Double(warm) / Double(image.width * image.height)
    }
    let fire = (0..<120).map { warmth(scenes.image($0, isBurning: true)) }
    let others = (0..<120).map { warmth(scenes.image($0, isBurning: false)) }
    let best =
      (fire + others).map { threshold in
        fire.count { $0 >= threshold } + others.count { $0 < threshold }
      }.max() ?? 0
    #expect(best < 200, "\(best) of 240 by color alone")
    #expect(best > 130, "\(best) of 240: fire should still be warmer")
  }

  @Test func picturesAreWrittenWithoutLoss() throws {
    guard ImageCodec.png.probe().isAvailable else { return }
    let image = FireScene(seed: 2, side: 40).image(0, isBurning: true)
    let bytes = ByteView(try image.png().flatMap(\.array))
    #expect(try Image.decode(bytes, name: "written.png") == image)
    let gray = try Image.decode(ByteView(image.gray.png().flatMap(\.array)), name: "gray.png")
    #expect(gray == image.gray)
  }
}
