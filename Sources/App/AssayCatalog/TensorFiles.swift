import AssayBase
import AssayTensor
import FormatONNX

/// The tensor of an ONNX tensor file (`.pb`), as the ONNX project's test data has them, and its name.
///
/// - Throws: `Diagnostic` for a file that is none.
public func readTensorFile(_ bytes: ByteView) throws -> (name: String, tensor: Tensor) {
  try ONNXFormat.readTensor(bytes)
}
