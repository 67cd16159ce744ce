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

  /// Kernels of this processor against plain loops: channels on their own, and columns as rows.
  @Test(arguments: [ResizeFilter.antialias, .bicubic, .lanczos])
  func kernelsGiveThePlainSums(filter: ResizeFilter) {
    var random = SeededRNG(seed: 3)
    for (width, height, newWidth, newHeight) in [
      (1, 1, 3, 2), (5, 4, 2, 9), (33, 21, 16, 7), (70, 50, 17, 24), (18, 40, 90, 3),
      (64, 9, 9, 64), (41, 203, 23, 60),
    ] {
      let pixels = (0..<width * height * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
      let image = Image(width: width, height: height, channels: 3, pixels: pixels)
      let color = image.resizedLevels(width: newWidth, height: newHeight, filter: filter)
      for channel in 0..<3 {
        func part(_ image: Image) -> [UInt8] {
          stride(from: channel, to: image.pixels.count, by: 3).map { image.pixels[$0] }
        }
        let gray = Image(width: width, height: height, channels: 1, pixels: part(image))
        let alone = gray.resizedLevels(width: newWidth, height: newHeight, filter: filter)
        #expect(alone.pixels == part(color))
        let columns = gray.resizedLevels(width: width, height: newHeight, filter: filter)
        let rows = gray.oriented(5).resizedLevels(width: newHeight, height: width, filter: filter)
        #expect(columns == rows.oriented(5))
      }
    }
  }

  /// Levels through tables are what values one by one are, in every layout, color and type.
  @Test(arguments: ["torch", "caffe", "mobilenet", "none", "yolo", "scale=1/255,color=gray"])
  func tablesGiveWhatValuesGive(mode: String) throws {
    var random = SeededRNG(seed: 4)
    let pixels = (0..<31 * 22 * 3).map { _ in UInt8.random(in: 0...255, using: &random) }
    let image = Image(width: 31, height: 22, channels: 3, pixels: pixels)
    let preprocessing = try Preprocessing.parse(
      mode == "yolo" ? mode : mode + ",resize=14,filter=antialias"
    )
    for dims in [[1, 11, 13, 3], [1, 3, 11, 13], [11, 13, 3], [1, 11, 13, 1]] {
      let type = TensorType(.float32, Shape(dims))
      let levels = try preprocessing.levels(image, for: type)
      let values = try preprocessing.tensor(Picture(levels), for: type)
      func expect(_ tensor: Tensor, _ other: Tensor?) {
        #expect(tensor.type == other?.type)
        #expect(other.map { $0.bytes.hasSameBytes(as: tensor.bytes) } == true)
      }
      expect(try preprocessing.tensor(image, for: type), values)
      for dtype in [DType.int8, .uint8] {
        let quantization = Quantization(scale: 0.017, zeroPoint: dtype == .int8 ? -3 : 120)
        let quantized = TensorType(dtype, Shape(dims), quantization: quantization)
        let input = try preprocessing.input(levels: levels, for: quantized)
        expect(input, values.converted(to: dtype, quantization: quantization))
      }
      expect(try preprocessing.input(levels: levels, for: type), values)
      let bytes = TensorType(.uint8, Shape(dims))
      if preprocessing.keepsValues {
        #expect(try preprocessing.input(levels: levels, for: bytes).dtype == .uint8)
      } else {
        let fault = #expect(throws: Diagnostic.self) {
          try preprocessing.input(levels: levels, for: bytes)
        }
        #expect(fault?.code == "DAT033")
      }
    }
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
