import AssayGraph
import AssayTensor

extension Zoo {
  /// Dosovitskiy et al., 2021, and Touvron et al., 2021, with the names of timm's weights.
  static let visionTransformers = [
    vit("vit_tiny_patch16_224", width: 192, pixels: .signed),
    vit("deit_small_patch16_224", width: 384, pixels: .standardized),
  ]

  private static func vit(_ name: String, width: Int, pixels: ZooInput.Pixels) -> ZooEntry {
    ZooEntry(name, family: "ViT", source: "timm", input: .square(224, pixels)) {
      network,
      settings in
      let patches = network.picture(settings)
        .conv(width, 16, strides: 16, padding: .valid, name: "patch_embed.proj")
      let count = patches.shape[1] * patches.shape[2]
      var x = patches.reshape([count, width]).prefixed("cls_token")
        .positions(name: "pos_embed", weight: "weight")
      for index in 0..<12 {
        x = x.block("blocks.\(index)") { $0.visionLayer(heads: width / 64) }
      }
      x = x.layerNorm(epsilon: 1e-6, name: "norm")
      network.finish(x, settings) {
        $0.slice([0, 0], [1, width]).reshape([width]).dense(settings.classes, name: "head")
          .activation(.softmax, name: "predictions")
      }
    }
  }
}

extension Signal {
  /// A weight as the first element of the sequence.
  fileprivate func prefixed(_ name: String) -> Signal {
    network.layer("ClassToken", name: name, on: self) { layer in
      let token = layer.weight("weight", [1, 1, channels], .truncatedNormal(0.2))
      let tokens =
        shape[0] == 1
        ? token : try layer.node(Tile([shape[0], 1, 1]), [token], part: "tokens")
      return try layer.node(Concat(axis: 1), [tokens, id])
    }
  }

  fileprivate func visionLayer(heads: Int) -> Signal {
    let width = channels
    let parts = layerNorm(epsilon: 1e-6, name: "norm1").dense(3 * width, name: "attn.qkv")
      .split([width, width, width])
    let attended = Signal.attention(query: parts[0], key: parts[1], value: parts[2], heads: heads)
    let x = self + attended.dense(width, name: "attn.proj")
    let long = x.layerNorm(epsilon: 1e-6, name: "norm2").dense(4 * width, name: "mlp.fc1")
      .activation(.gelu).dense(width, name: "mlp.fc2")
    return x + long
  }
}
