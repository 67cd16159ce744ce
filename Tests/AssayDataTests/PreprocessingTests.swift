import AssayBase
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayData

@Suite struct PreprocessingTests {
  private let input = TensorType(.float32, [1, 17, 23, 3])

  @Test(arguments: ["mobilenet", "torch", "caffe"])
  func modesAreThoseOfKeras(mode: String) throws {
    let expected = try #require(ImageGoldens.resized["mode_\(mode)"])
    let tensor = try Preprocessing.parse(mode).tensor(ImageGoldens.image("rgb.ppm"), for: input)
    #expect(tensor.shape == expected.shape)
    // Keras computes in float32 too; its divisions may be products by the inverse.
    #expect(largestDifference(tensor.floats(), expected.floats()).absolute <= 2e-5)
  }

  @Test func scaleIsDividedExactly() throws {
    let tensor = try Preprocessing.parse("scale=1/255")
      .tensor(
        Image(width: 2, height: 1, channels: 1, pixels: [77, 255]),
        for: .init(.float32, [1, 1, 2, 1])
      )
    #expect(tensor.floats() == [Float(77) / 255, 1])
  }

  @Test func centralCropIsTensorFlows() throws {
    let expected = try #require(ImageGoldens.resized["crop_0.875"])
    let dims = expected.shape.dims
    let type = TensorType(.float32, [1, dims[0], dims[1], 3])
    let tensor = try Preprocessing.parse("crop=center:0.875")
      .tensor(ImageGoldens.image("rgb.ppm"), for: type)
    #expect(tensor.floats() == expected.floats())
  }

  @Test func channelOrdersAndLayouts() throws {
    let image = Image(width: 2, height: 1, channels: 3, pixels: [1, 2, 3, 4, 5, 6])
    func values(_ spec: String, _ shape: Shape) throws -> [Float] {
      try Preprocessing.parse(spec).tensor(image, for: TensorType(.float32, shape)).floats()
    }
    #expect(try values("", [1, 1, 2, 3]) == [1, 2, 3, 4, 5, 6])
    #expect(try values("color=bgr", [1, 1, 2, 3]) == [3, 2, 1, 6, 5, 4])
    #expect(try values("", [1, 3, 1, 2]) == [1, 4, 2, 5, 3, 6])
    #expect(try values("color=bgr", [1, 3, 1, 2]) == [3, 6, 2, 5, 1, 4])
    #expect(try values("", [1, 1, 2, 1]) == [2, 5])
    #expect(try values("color=gray", [1, 1, 2, 3]) == [2, 2, 2, 5, 5, 5])
    // Mean and deviation follow the network's order.
    #expect(try values("color=bgr,mean=3:0:0", [1, 1, 2, 3]) == [0, 2, 1, 3, 5, 4])
    #expect(try values("", [1, 2, 3]).count == 6)
  }

  @Test func unknownExtentsAreThePictures() throws {
    let image = Image(width: 4, height: 6, channels: 1, pixels: [UInt8](repeating: 9, count: 24))
    let type = TensorType(.float32, [-1, -1, -1, 1])
    #expect(try Preprocessing().tensor(image, for: type).shape == [1, 6, 4, 1])
    #expect(try Preprocessing.parse("resize=3x2").tensor(image, for: type).shape == [1, 2, 3, 1])
  }

  @Test func theShorterSideThenTheMiddle() throws {
    // Columns 0...9 of a 10 x 5 picture; resized to its own height the middle 5 remain.
    let image = Image(
      width: 10,
      height: 5,
      channels: 1,
      pixels: (0..<50).map { UInt8($0 % 10) }
    )
    let tensor = try Preprocessing.parse("resize=5")
      .tensor(image, for: TensorType(.float32, [1, 5, 5, 1]))
    #expect(Array(tensor.floats().prefix(5)) == [2, 3, 4, 5, 6])
    let square = try Preprocessing.parse("crop=center")
      .tensor(image, for: TensorType(.float32, [1, 5, 5, 1]))
    #expect(square.floats() == tensor.floats())
  }

  @Test(arguments: [
    "", "mobilenet", "torch", "caffe", "scale=1/255", "scale=0.5,mean=0.1:0.2:0.3,std=2",
    "crop=center:0.875,resize=256,filter=antialias", "crop=center", "crop=square:0.5",
    "resize=320x240,layout=nchw,color=bgr,orient=none", "mean=0.485,0.456,0.406,std=0.2,0.3,0.4",
  ])
  func theCanonicalTextReadsBack(spec: String) throws {
    let value = try Preprocessing.parse(spec)
    #expect(try Preprocessing.parse(value.text) == value)
    #expect(try Preprocessing.parse(value.text).text == value.text)
  }

  @Test func theDefaultIsWrittenOut() {
    #expect(
      Preprocessing().text
        == "color=auto,crop=none,resize=fit,filter=bilinear,scale=1,mean=0,std=1,layout=auto,"
        + "orient=exif"
    )
  }

  @Test(arguments: [
    "mobilnet", "scale=", "scale=1/0", "scale=1/2/3", "mean=1:2", "std=0", "std=1:0:1",
    "crop=center:2", "crop=left", "crop=center:0", "resize=0", "resize=1x2x3", "resize=99999",
    "filter=smooth", "layout=hwc", "orient=yes", "colr=rgb", "scale=nan", "=", "scale=inf",
    "mean=1e300", "std=1e-50", "mean=1e30/1e-30", "scale=1/1e-60",
  ])
  func badSpecificationsAreRefused(spec: String) {
    #expect {
      try Preprocessing.parse(spec)
    } throws: { error in
      (error as? Diagnostic)?.code == "DAT010" && (error as? Diagnostic)?.remedy != nil
    }
  }

  @Test func everyBadPartIsNamedAtOnce() {
    #expect {
      try Preprocessing.parse("mobilnet,scale=x,resize=224")
    } throws: { ($0 as? Diagnostics)?.all.count == 2 }
  }

  @Test func whatTakesNoPicturesSaysSo() {
    let image = Image(width: 1, height: 1, channels: 1, pixels: [0])
    for shape: Shape in [
      [1, 10], [], [1, 4, 4, 7], [1, 0, 4, 3], [1, 1 << 20, 4, 3], [1, 1, 1, 1, 1],
    ] {
      #expect {
        try Preprocessing().tensor(image, for: TensorType(.float32, shape))
      } throws: { ($0 as? Diagnostic)?.code == "DAT011" }
    }
    #expect {
      try Preprocessing.parse("resize=2x2").tensor(image, for: TensorType(.float32, [1, 4, 4, 1]))
    } throws: { ($0 as? Diagnostic)?.code == "DAT012" }
  }
}
