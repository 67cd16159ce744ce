import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension TransposeConv2D: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let (image, filter) = (node.input(0).shape, node.input(1).shape)
    let kernel = Size2D(filter[1], filter[2])
    // The border is that of the forward convolution, whose image is this one's output.
    let pads = padding.onnxPads(
      [image[0], outputSize.height, outputSize.width, filter[0]],
      kernel,
      strides,
      .one
    )
    // What ONNX's own formula for the output leaves to be added at the end.
    let extra = [
      outputSize.height - (image[1] - 1) * strides.height - kernel.height + pads[0] + pads[2],
      outputSize.width - (image[2] - 1) * strides.width - kernel.width + pads[1] + pads[3],
    ]
    guard extra.allSatisfy({ $0 >= 0 }) else {
      throw Diagnostic("ONX110", "an output of \(outputSize.text) cannot be written")
    }
    var inputs = [file.real(node, 0), file.filter(node, 1, permutation: [3, 0, 1, 2])]
    if node.has(2) { inputs.append(file.bias(node, 2)) }
    file.finish(
      node,
      "ConvTranspose",
      inputs,
      [
        .ints("kernel_shape", [kernel.height, kernel.width]),
        .ints("strides", [strides.height, strides.width]),
        .ints("pads", pads),
        .ints("output_padding", extra),
      ],
      activation: activation
    )
  }
}

// MARK: - Import

let transposeConvolutionReaders: [String: ONNXReader] = [
  "ConvTranspose": readTransposeConvolution
]

private func readTransposeConvolution(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let image = try into.type(call.input(0)).shape
  let filter = try into.type(call.input(1)).shape
  if image.rank == 3, filter.rank == 3 {
    try into.inTwoDimensions(call, readTransposeConvolution)
    return
  }
  guard image.rank == 4, filter.rank == 4, call.int("group", default: 1) == 1,
    (call.ints("dilations") ?? [1, 1]).allSatisfy({ $0 == 1 }),
    call.string("auto_pad", default: "NOTSET") != "SAME_LOWER"
  else {
    try readGeneralTransposeConvolution(call, &into)
    return
  }
  var window = try CallWindow(call, image: image, kernel: [filter[2], filter[3]])
  let extra = call.ints("output_padding") ?? [0, 0]
  guard extra.count == 2, extra.allSatisfy({ (0..<1 << 20).contains($0) }) else {
    throw call.unsupported("output_padding \(extra)")
  }
  // The output before any border is cut off.
  let full = [
    (image[2] - 1) * window.strides.height + filter[2],
    (image[3] - 1) * window.strides.width + filter[3],
  ]
  let autoPad = call.string("auto_pad", default: "NOTSET")
  var size: Size2D
  if autoPad.hasPrefix("SAME") {
    size = Size2D(image[2] * window.strides.height, image[3] * window.strides.width)
    window.padding = .same
  } else {
    let pads = autoPad == "VALID" ? [0, 0, 0, 0] : call.ints("pads") ?? [0, 0, 0, 0]
    size = Size2D(
      full[0] + extra[0] - pads[0] - pads[2],
      full[1] + extra[1] - pads[1] - pads[3]
    )
    window.padding = .explicit(top: pads[0], bottom: pads[2], left: pads[1], right: pads[3])
    if let wanted = call.ints("output_shape") {
      guard wanted.count == 2, wanted.allSatisfy({ (1..<1 << 20).contains($0) }) else {
        throw call.unsupported("output_shape \(wanted)")
      }
      size = Size2D(wanted[0], wanted[1])
      // What is too long is cut off, the odd element in front.
      let cut = zip(full, wanted).map { max($0 - $1, 0) }
      window.padding = .explicit(
        top: cut[0] - cut[0] / 2,
        bottom: cut[0] / 2,
        left: cut[1] - cut[1] / 2,
        right: cut[1] / 2
      )
    }
  }
  guard size.height > 0, size.width > 0 else { throw call.unsupported("an output of no extent") }
  window.padding = window.named(
    window.padding,
    [image[0], size.height, size.width, filter[1]]
  )
  let op = TransposeConv2D(strides: window.strides, padding: window.padding, outputSize: size)
  let turned = try into.parameter(call.input(1), [1, 2, 3, 0], call)
  let bias = call.has(2) ? try into.plain(call.input(2)) : nil
  try into.defineImage(call, op, [try into.image(call.input(0)), turned, bias])
}
