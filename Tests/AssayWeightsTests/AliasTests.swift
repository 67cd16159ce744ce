import Testing

@testable import AssayWeights

/// Names of layers in other words.
@Suite struct AliasTests {
  private func rewrite(_ name: String, _ from: String, _ to: String) -> String? {
    WeightAliases.rewrite(name.split(separator: "/"), WeightAliases.Rule(from, to))
  }

  @Test func placesStandForNumbersAndWords() {
    #expect(rewrite("conv_dw_12/kernel", "conv_dw_{a}/...", "D_{a}_x") == "D_12_x/kernel")
    #expect(rewrite("conv_dw_12_bn/beta", "conv_dw_{a}_bn/...", "D{a-1}/B") == "D11/B/beta")
    #expect(rewrite("a/2/3/w", "a/{x}/{y}/...", "b/{y}/{x}") == "b/3/2/w")
    #expect(rewrite("a/query/w", "a/{x}/w", "{x}/v") == "query/v")
  }

  @Test func otherNamesAreLeftAlone() {
    #expect(rewrite("conv_dw_12_bn/kernel", "conv_dw_{a}/...", "D_{a}") == nil)
    #expect(rewrite("conv_dw/kernel", "conv_dw_{a}/...", "D_{a}") == nil)
    #expect(rewrite("a/b", "a", "c") == nil)
    #expect(rewrite("a", "a/b/...", "c") == nil)
    #expect(rewrite("x_word/k", "x_{a}/...", "y_{a+1}") == nil)
    #expect(rewrite("x_1/k", "x_{a}/...", "y_{b}") == nil)
  }

  @Test func namesArePlain() {
    #expect(WeightNames.plain("conv1/kernel:0") == "conv1/kernel")
    #expect(WeightNames.plain("layer1.0.conv1.weight") == "layer1/0/conv1/weight")
    #expect(WeightNames.plain("a:b/c") == "a:b/c")
    #expect(WeightNames.automatic("conv2d_7")?.number == 7)
    #expect(WeightNames.automatic("conv2d")?.number == 0)
    #expect(WeightNames.automatic("block1_conv2") == nil)
    #expect(WeightNames.automatic("conv_dw_3") == nil)
  }
}
