import AssayGraph
import AssayTensor

extension Zoo {
  /// Liu et al., 2022, as Keras has it.
  static let convNeXt = [
    convNeXt("ConvNeXtTiny", [3, 3, 9, 3], 96), convNeXt("ConvNeXtSmall", [3, 3, 27, 3], 96),
    convNeXt("ConvNeXtBase", [3, 3, 27, 3], 128), convNeXt("ConvNeXtLarge", [3, 3, 27, 3], 192),
    convNeXt("ConvNeXtXLarge", [3, 3, 27, 3], 256),
  ]

  private static func convNeXt(_ name: String, _ blocks: [Int], _ width: Int) -> ZooEntry {
    ZooEntry(name, family: "ConvNeXt", source: "Keras Applications", input: .square(224, .bytes)) {
      network,
      settings in
      let prefix = "convnext_" + name.dropFirst("ConvNeXt".count).lowercased()
      var x = network.picture(settings).normalize(
        mean: [0.485, 0.456, 0.406].map { ($0 * 255) as Float },
        variance: [0.229, 0.224, 0.225].map { ($0 * 255 * $0 * 255) as Float },
        isLearned: false,
        name: "\(prefix)_prestem_normalization"
      )
      for (stage, count) in blocks.enumerated() {
        if stage == 0 {
          x = x.conv(width, 4, strides: 4, padding: .valid, name: "\(prefix)_stem_conv")
            .layerNorm(epsilon: 1e-6, name: "\(prefix)_stem_layernorm")
        } else {
          let index = stage - 1
          x = x.layerNorm(epsilon: 1e-6, name: "\(prefix)_downsampling_layernorm_\(index)").conv(
            width << stage,
            2,
            strides: 2,
            padding: .valid,
            name: "\(prefix)_downsampling_conv_\(index)"
          )
        }
        x = x.repeated(count) { $0.convNeXtBlock("\(prefix)_stage_\(stage)_block_\($1)") }
      }
      guard settings.includesTop else {
        return network.output(x.layerNorm(epsilon: 1e-6), name: "features")
      }
      let scores = x.globalAveragePool(name: "\(prefix)_head_gap")
        .layerNorm(epsilon: 1e-6, name: "\(prefix)_head_layernorm")
        .dense(settings.classes, name: "\(prefix)_head_dense").activation(.softmax)
      network.output(scores, name: "predictions")
    }
  }
}

extension Signal {
  fileprivate func convNeXtBlock(_ name: String) -> Signal {
    let long = depthwiseConv(7, name: "\(name)_depthwise_conv")
      .layerNorm(epsilon: 1e-6, name: "\(name)_layernorm")
      .dense(4 * channels, name: "\(name)_pointwise_conv_1").activation(.gelu, name: "\(name)_gelu")
      .dense(channels, name: "\(name)_pointwise_conv_2").layerScale(
        1e-6,
        name: "\(name)_layer_scale"
      )
    return self + long
  }
}
