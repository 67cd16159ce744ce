extension WeightAliases {
  /// The rules of networks whose names begin so.
  static let families: [(prefix: String, rules: [Rule])] = [
    ("mobilenetv2", mobileNetV2),
    // Not V2, V3: their layers have other names, so that nothing of this is met.
    ("mobilenet", mobileNet),
  ]

  /// MobileNet as TF-Slim names it, from Keras's names.
  private static let mobileNet: [Rule] = [
    Rule("conv1/...", "MobilenetV1/Conv2d_0"),
    Rule("conv1_bn/...", "MobilenetV1/Conv2d_0/BatchNorm"),
    Rule("conv_dw_{a}/...", "MobilenetV1/Conv2d_{a}_depthwise"),
    Rule("conv_dw_{a}_bn/...", "MobilenetV1/Conv2d_{a}_depthwise/BatchNorm"),
    Rule("conv_pw_{a}/...", "MobilenetV1/Conv2d_{a}_pointwise"),
    Rule("conv_pw_{a}_bn/...", "MobilenetV1/Conv2d_{a}_pointwise/BatchNorm"),
    Rule("conv_preds/...", "MobilenetV1/Logits/Conv2d_1c_1x1"),
  ]

  /// MobileNetV2 as TF-Slim names it, from Keras's names.
  private static let mobileNetV2: [Rule] = [
    Rule("Conv1/...", "MobilenetV2/Conv"),
    Rule("bn_Conv1/...", "MobilenetV2/Conv/BatchNorm"),
    Rule("expanded_conv_depthwise/...", "MobilenetV2/expanded_conv/depthwise"),
    Rule("expanded_conv_depthwise_BN/...", "MobilenetV2/expanded_conv/depthwise/BatchNorm"),
    Rule("expanded_conv_project/...", "MobilenetV2/expanded_conv/project"),
    Rule("expanded_conv_project_BN/...", "MobilenetV2/expanded_conv/project/BatchNorm"),
    Rule("block_{a}_expand/...", "MobilenetV2/expanded_conv_{a}/expand"),
    Rule("block_{a}_expand_BN/...", "MobilenetV2/expanded_conv_{a}/expand/BatchNorm"),
    Rule("block_{a}_depthwise/...", "MobilenetV2/expanded_conv_{a}/depthwise"),
    Rule("block_{a}_depthwise_BN/...", "MobilenetV2/expanded_conv_{a}/depthwise/BatchNorm"),
    Rule("block_{a}_project/...", "MobilenetV2/expanded_conv_{a}/project"),
    Rule("block_{a}_project_BN/...", "MobilenetV2/expanded_conv_{a}/project/BatchNorm"),
    Rule("Conv_1/...", "MobilenetV2/Conv_1"),
    Rule("Conv_1_bn/...", "MobilenetV2/Conv_1/BatchNorm"),
    Rule("predictions/...", "MobilenetV2/Logits/Conv2d_1c_1x1"),
  ]
}
