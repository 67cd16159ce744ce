import AssayBase
import AssayCodec
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayData

/// Images and what Pillow reads from them, made by Tests/Goldens/make_images.py.
enum ImageGoldens {
  static let folder = TestData.package + "/Tests/Goldens/images"

  static func arrays(_ name: String) throws -> [String: Tensor] {
    let all = try NPZ.read(MappedFile(path: folder + "/" + name).view)
    return Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0.tensor) })
  }

  static let expected: [String: Tensor] = (try? arrays("expected.npz")) ?? [:]
  static let resized: [String: Tensor] = (try? arrays("resized.npz")) ?? [:]

  static func image(_ name: String) throws -> Image { try Image.read(path: folder + "/" + name) }
}

/// The greatest difference between a picture and the pixels that were expected.
private func difference(_ image: Image, _ expected: Tensor) -> Int? {
  let dims = expected.shape.dims
  guard dims.prefix(2) == [image.height, image.width],
    (dims.count == 3 ? dims[2] : 1) == image.channels
  else { return nil }
  return zip(image.pixels, expected.integers()).map { abs(Int($0) - $1) }.max()
}

@Suite struct ImageTests {
  @Test(arguments: ImageGoldens.expected.keys.sorted())
  func readsWhatPillowReads(name: String) throws {
    let codec = try #require(
      ImageCodec.sniff(MappedFile(path: ImageGoldens.folder + "/" + name).view)
    )
    guard codec.probe().isAvailable else { return }
    let expected = try #require(ImageGoldens.expected[name])
    let image = try ImageGoldens.image(name)
    // Versions of libjpeg-turbo and libwebp differ by a level where chroma is upsampled.
    let tolerance = name.hasSuffix("jpg") || name == "lossy.webp" ? 1 : 0
    let found = try #require(difference(image, expected), "\(image.width) x \(image.height)")
    #expect(found <= tolerance)
  }

  @Test func thereAreGoldensOfEveryCodec() {
    let endings = Set(ImageGoldens.expected.keys.compactMap { $0.split(separator: ".").last })
    for codec in ImageCodec.allCases {
      #expect(codec.extensions.contains { endings.contains(Substring($0)) }, "\(codec.title)")
    }
  }

  @Test func orientationIsAppliedUnlessToldOtherwise() throws {
    guard ImageCodec.jpeg.probe().isAvailable else { return }
    let path = ImageGoldens.folder + "/exif6.jpg"
    #expect(try Image.read(path: path).width == 17)
    #expect(try Image.read(path: path, isOriented: false).width == 23)
  }

  @Test func turningEightWaysIsAGroup() {
    let image = Image(width: 3, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6])
    #expect(image.oriented(6).oriented(8) == image)
    #expect(image.oriented(5).oriented(5) == image)
    #expect(image.oriented(7).oriented(7) == image)
    #expect(image.oriented(2).oriented(4) == image.oriented(3))
    #expect(image.oriented(6).pixels == [4, 1, 5, 2, 6, 3])
    #expect(image.oriented(99) == image)
  }

  @Test func grayIsPillowsLuma() throws {
    let expected = try #require(ImageGoldens.resized["gray"])
    #expect(try difference(ImageGoldens.image("rgb.ppm").gray, expected) == 0)
  }

  @Test(arguments: ["rgb.png", "rgb.jpg", "lossless.webp", "rgb.bmp", "rgb.ppm", "palette.bmp"])
  func damageIsADiagnosticWithTheName(name: String) throws {
    let bytes = try MappedFile(path: ImageGoldens.folder + "/" + name).view.array
    for length in [0, 1, 2, 7, 12, 20, 33, 60, bytes.count / 2, bytes.count - 9] {
      do {
        _ = try Image.decode(ByteView(Array(bytes.prefix(length))), name: name)
        // What is cut from a JPEG's or a WebP's end may be padding, nothing else.
        Issue.record("\(length) bytes of \(name) were read")
      } catch let error as Diagnostic {
        #expect(["DAT001", "DAT002", "DAT003", "DAT004", "DAT005"].contains(error.code))
        #expect(error.location.first == name)
        #expect(error.remedy != nil)
      }
    }
    var rng = SeededRNG(seed: 3)
    for _ in 0..<300 {
      var flipped = bytes
      for _ in 0..<rng.int(1...4) {
        let bit = rng.int(0...bytes.count * 8 - 1)
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      }
      do {
        _ = try Image.decode(ByteView(flipped), name: name)
      } catch {
        #expect(error is Diagnostic)
      }
    }
  }

  @Test func hugeExtentsAreRefusedBeforeMemoryIsTaken() throws {
    func code(_ bytes: [UInt8]) -> String? {
      do {
        _ = try Image.decode(ByteView(bytes), name: "x")
        return nil
      } catch { return (error as? Diagnostic)?.code }
    }
    #expect(code(Array("P6 99999 99999 255\n".utf8)) == "DAT004")
    #expect(code(Array("P5 4294967295 4294967295 255\n".utf8)) == "DAT004")
    #expect(code(Array("P5 0 4 255\n".utf8)) == "DAT003")
    var png = try MappedFile(path: ImageGoldens.folder + "/rgb.png").view.array
    png.replaceSubrange(16..<24, with: [0, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0xFF])
    #expect(code(png) == (ImageCodec.png.probe().isAvailable ? "DAT004" : "DAT002"))
    var bmp = try MappedFile(path: ImageGoldens.folder + "/rgb.bmp").view.array
    bmp.replaceSubrange(18..<26, with: [0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0x80])
    #expect(code(bmp) == "DAT004")
  }

  @Test func realPhotographsAreRead() throws {
    for (file, width, height) in [
      ("images/photos/parrot.jpg", 512, 929), ("images/photos/grace_hopper.bmp", 512, 600),
      ("images/photos/dog_segmentation_mask.bmp", 128, 128),
      ("images/imagenet10/ILSVRC2012_val_00001131.webp", 500, 375),
    ] {
      guard let path = TestData.sharedFile(file) else { continue }
      let image = try Image.read(path: path)
      #expect(image.width == width && image.height == height, "\(file)")
    }
  }
}

@Suite struct ResamplingTests {
  @Test(arguments: ResizeFilter.allCases, [[9, 7], [40, 30], [12, 30], [23, 7]])
  func equalsPillowAndTensorFlow(filter: ResizeFilter, size: [Int]) throws {
    let expected = try #require(
      ImageGoldens.resized["\(filter.rawValue)_\(size[0])x\(size[1])"]
    )
    let image = try ImageGoldens.image("rgb.ppm")
    let values = image.resized(width: size[0], height: size[1], filter: filter)
    let worst = zip(values, expected.floats()).map { abs($0 - $1) }.max() ?? .infinity
    #expect(values.count == expected.count)
    // Pillow's are whole numbers and come out the same; TensorFlow's are sums in another order.
    // OpenCV counts in 11 bits.
    #expect(worst <= (filter == .opencv ? 1 : filter.isRounded ? 0 : 1e-3))
  }

  @Test(arguments: ResizeFilter.allCases)
  func oneSizeToItselfChangesNothing(filter: ResizeFilter) throws {
    let image = try ImageGoldens.image("rgb.ppm")
    #expect(
      image.resized(width: 23, height: 17, filter: filter) == image.pixels.map { Float($0) }
    )
  }

  @Test(arguments: ResizeFilter.allCases)
  func aFlatPictureStaysFlat(filter: ResizeFilter) {
    let image = Image(
      width: 7,
      height: 5,
      channels: 3,
      pixels: [UInt8](repeating: 200, count: 105)
    )
    for (width, height) in [(1, 1), (3, 9), (64, 2), (7, 4)] {
      let values = image.resized(width: width, height: height, filter: filter)
      #expect(values.allSatisfy { abs($0 - 200) < 1e-3 })
    }
  }
}
