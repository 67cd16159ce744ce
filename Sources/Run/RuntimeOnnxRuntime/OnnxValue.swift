import AssayBase
import AssayTensor
import COnnxRuntime

/// A tensor of ONNX Runtime over memory of ours (64-byte aligned).
@safe final class OnnxValue {
  let handle: OrtValueRef
  private let library: OnnxLibrary
  private let memory: UnsafeMutableRawBufferPointer

  /// A zeroed tensor.
  ///
  /// - Throws: `Diagnostic` RTM007 when it would be too large.
  init(_ library: OnnxLibrary, _ dtype: DType, _ element: Int32, _ dims: [Int]) throws {
    guard let count = TensorType(dtype, Shape(dims)).byteCount, count < 1 << 40 else {
      throw Diagnostic("RTM007", "a tensor of \(Shape(dims)) is too large")
    }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 64)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
    var handle: OrtValueRef?
    do {
      unsafe try library.check(
        unsafe library.functions.pointee.CreateTensorWithDataAsOrtValue(
          library.memory,
          memory.baseAddress,
          count,
          dims.map { Int64($0) },
          dims.count,
          element,
          &handle
        )
      )
    } catch {
      unsafe memory.deallocate()
      throw error
    }
    guard let handle = unsafe handle else {
      unsafe memory.deallocate()
      throw Diagnostic("RTM005", "ONNX Runtime gave no tensor")
    }
    self.library = library
    unsafe self.handle = handle
    unsafe self.memory = memory
    byteCount = count
  }

  private let byteCount: Int

  /// Copies bytes in, as many as there are.
  func write(_ bytes: ByteView) {
    unsafe bytes.withUnsafeBytes { source in
      unsafe memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(byteCount)))
    }
  }

  /// A copy of the bytes.
  func read() -> ByteView {
    unsafe ByteView(byteCount: byteCount) { target in
      unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<byteCount]))
    }
  }

  deinit {
    unsafe library.functions.pointee.ReleaseValue(handle)
    unsafe memory.deallocate()
  }
}
