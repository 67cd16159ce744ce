import AssayBase
import AssayTensor
import AssayTestSupport
import Testing

@Suite struct DTypeTests {
  @Test func elementsArePacked() {
    #expect(DType.int4.byteCount(3) == 2)
    #expect(DType.float32.byteCount(3) == 12)
    #expect(DType.float64.byteCount(Int.max) == nil)
    #expect(DType.int4.byteCount(Int.max) == nil)
    #expect(DType.int8.byteCount(0) == 0)
  }

  @Test func rangesAreThoseOfTheTypes() {
    #expect(DType.int8.integerRange == -128...127)
    #expect(DType.uint16.integerRange == 0...65535)
    #expect(DType.float32.integerRange == nil)
    #expect(DType.bool.isInteger == false)
  }
}

@Suite struct ShapeTests {
  @Test func countsAreChecked() {
    #expect(Shape([2, 3]).elementCount == 6)
    #expect(Shape([]).elementCount == 1)
    #expect(Shape([2, -1]).elementCount == nil)
    #expect(Shape([Int.max, 2]).elementCount == nil)
    #expect(Shape([Int.max, 0]).elementCount == 0)
  }

  @Test func axesCountFromBothEnds() {
    let shape: Shape = [2, 3, 4]
    #expect(shape[-1] == 4 && shape[0] == 2 && shape[9] == 1 && shape[-9] == 1)
    #expect(shape.normalized(axis: -3) == 0)
    #expect(shape.normalized(axis: 3) == nil)
    #expect(shape.normalized(axis: -4) == nil)
    #expect(shape.strides == [12, 4, 1])
    #expect("\(shape) \(Shape([])) \(Shape([-1, 2]))" == "2x3x4 scalar ?x2")
  }

  @Test func broadcastingIsNumPys() {
    #expect(Shape([2, 1, 3]).broadcast(with: [4, 1]) == [2, 4, 3])
    #expect(Shape([]).broadcast(with: [5]) == [5])
    #expect(Shape([0]).broadcast(with: [1]) == [0])
    #expect(Shape([2]).broadcast(with: [3]) == nil)
  }
}

@Suite struct QuantizationTests {
  @Test func roundsHalfAwayFromZeroAndClamps() {
    let quantization = Quantization(scale: 0.5, zeroPoint: 3)
    #expect(quantization.quantize(0.25, to: -128...127) == 4)
    #expect(quantization.quantize(-0.25, to: -128...127) == 2)
    #expect(quantization.quantize(1e30, to: -128...127) == 127)
    #expect(quantization.quantize(-.infinity, to: -128...127) == -128)
    #expect(quantization.quantize(.nan, to: -128...127) == 3)
    #expect(quantization.dequantize(4) == 0.5)
  }

  @Test func theErrorIsAtMostHalfAStep() {
    forAll(count: 200) { rng in
      let scale = rng.uniform(1e-4, 10)
      let quantization = Quantization(scale: scale, zeroPoint: Int32(rng.int(-128...127)))
      let low = quantization.dequantize(-128)
      let high = quantization.dequantize(127)
      let real = rng.uniform(low, high)
      let back = quantization.dequantize(quantization.quantize(real, to: -128...127))
      try #require(abs(back - real) <= scale * 0.5001)
    }
  }

  @Test func integersComeBackAsTheyWere() {
    let quantization = Quantization(scale: 0.013, zeroPoint: -7)
    for integer in -128...127 {
      let real = quantization.dequantize(integer)
      #expect(quantization.quantize(real, to: -128...127) == integer)
    }
  }
}

@Suite struct TensorTests {
  @Test func bytesMustFitTheType() {
    #expect(throws: Diagnostic.self) {
      try Tensor(TensorType(.float32, [2]), bytes: ByteView([0, 0, 0, 0]))
    }
    #expect(throws: Diagnostic.self) {
      try Tensor(TensorType(.float32, [-1]), bytes: ByteView([]))
    }
    #expect(throws: Diagnostic.self) {
      try Tensor(TensorType(.int8, [Int.max, 4]), bytes: ByteView([]))
    }
  }

  @Test func unalignedElementsAreRead() throws {
    let bytes = ByteView([9, 0, 0, 0x80, 0x3F, 0, 0, 0, 0x40])
    let tensor = try Tensor(TensorType(.float32, [2]), bytes: bytes.slice(1, 8))
    #expect(tensor.floats() == [1, 2])
  }

  @Test func perChannelIntegersAreDequantizedAlongTheirAxis() {
    let quantization = Quantization(scales: [1, 10], axis: 0)
    let rows = Tensor([1, 2, 3, 4] as [Int8], [2, 2], dtype: .int8, quantization: quantization)
    #expect(rows.floats() == [1, 2, 30, 40])
    let columns = rows.with(quantization: Quantization(scales: [1, 10], axis: -1))
    #expect(columns.floats() == [1, 20, 3, 40])
    let back = Tensor([1.0, 20, 3, 40], [2, 2])
      .converted(to: .int8, quantization: columns.quantization)
    #expect(back?.elements(as: Int8.self) == [1, 2, 3, 4])
  }

  @Test func nibblesAreUnpacked() throws {
    let bytes = ByteView([0x8F, 0x07])
    let signed = try Tensor(TensorType(.int4, [3]), bytes: bytes)
    #expect(signed.integers() == [-1, -8, 7])
    let unsigned = try Tensor(TensorType(.uint4, [3]), bytes: bytes)
    #expect(unsigned.integers() == [15, 8, 7])
  }

  @Test func everyBlockHasAScaleOfItsOwn() throws {
    // Rows of 5 in blocks of 2: the last block of each is short.
    let scales: [Float] = [1, 2, 4, 0.5, 8, 16]
    let quantization = Quantization(scales: scales, axis: 1, blockSize: 2)
    let shape: Shape = [2, 5]
    #expect(quantization.channels(of: shape) == [0, 0, 1, 1, 2, 3, 3, 4, 4, 5])
    let reals: [Float] = [1, -3, 4, 8, 12, 0.5, 1, 24, -8, 112]
    let packed = try #require(Tensor(reals, shape).converted(to: .int4, quantization: quantization))
    #expect(packed.bytes.count == 5)
    #expect(packed.integers() == [1, -3, 2, 4, 3, 1, 2, 3, -1, 7])
    #expect(packed.floats() == reals)
    // Along the first axis: blocks of 3 of 4 rows.
    let columns = Quantization(scales: [1, 10, 2, 20], axis: 0, blockSize: 3)
    #expect(columns.channels(of: [4, 2]) == [0, 1, 0, 1, 0, 1, 2, 3])
    // Scales that do not fit the shape have no places.
    #expect(Quantization(scales: [1, 2], axis: 1, blockSize: 2).channels(of: shape) == nil)
    #expect(Quantization(scales: [1], axis: 5, blockSize: 2).channels(of: shape) == nil)
  }

  @Test func floatsBecomeIntegersByClamping() {
    let floats = Tensor([1e30, -1e30, .nan, -1.9, 300] as [Float], [5])
    let integers = floats.converted(to: .int8)?.elements(as: Int8.self)
    #expect(integers == [127, -128, 0, -1, 127])
    #expect(floats.converted(to: .int64)?.elements(as: Int64.self)[1] == .min)
    #expect(floats.converted(to: .uint8)?.elements(as: UInt8.self) == [255, 0, 0, 0, 255])
    #expect(floats.converted(to: .int4)?.integers() == [7, -8, 0, -1, 7])
    #expect(floats.converted(to: .uint4)?.bytes.array == [0x0F, 0x00, 0x0F])
  }

  @Test func everyHalfIsItsFloat() {
    for bits in UInt16.min...UInt16.max {
      let value = float(halfBits: bits)
      let exact = Float(Float16(bitPattern: bits))
      if exact.isNaN { #expect(value.isNaN) } else { #expect(value == exact) }
      if !exact.isNaN { #expect(halfBits(value) == bits) }
    }
  }

  @Test func halvesAreRoundedAsTheHardwareDoes() {
    forAll(count: 20_000) { rng in
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: rng.next()))
      if value.isNaN { return }
      try #require(halfBits(value) == Float16(value).bitPattern, "\(value)")
    }
  }

  @Test func bfloatsAreRoundedToEven() {
    #expect(bfloat16Bits(1) == 0x3F80)
    #expect(bfloat16Bits(Float(bitPattern: 0x3F80_8000)) == 0x3F80)
    #expect(bfloat16Bits(Float(bitPattern: 0x3F81_8000)) == 0x3F82)
    #expect(bfloat16Bits(.nan) == 0x7FC0)
    #expect(Tensor([UInt16(0x3FC0)], [1], dtype: .bfloat16).floats() == [1.5])
  }
}
