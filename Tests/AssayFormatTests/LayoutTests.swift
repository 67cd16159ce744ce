import AssayBase
import Testing

@testable import AssayFormat

@Suite struct LayoutTests {
  /// Every assignment tried: none needs fewer transposes than the plan.
  @Test func noAssignmentIsBetter() {
    var random = SeededRNG(seed: 11)
    for _ in 0..<200 {
      let count = Int.random(in: 2...6, using: &random)
      let rules = (0..<count).map { _ -> LayoutRule in
        switch Int.random(in: 0..<4, using: &random) {
        case 0: .window
        case 1: .ordered
        case 2: LayoutRule(input: .free(0), output: .free(1))
        default: .agnostic
        }
      }
      var images = [
        LayoutPlan.Image(
          producer: nil,
          consumers: [0],
          isOutput: false,
          elementCount: 10,
          isLayoutFree: false
        )
      ]
      for producer in 0..<count {
        let consumers = (producer + 1..<count).filter { _ in Bool.random(using: &random) }
        images.append(
          LayoutPlan.Image(
            producer: producer,
            consumers: consumers,
            isOutput: consumers.isEmpty,
            elementCount: Int.random(in: 1...100, using: &random),
            isLayoutFree: false
          )
        )
      }
      let plan = LayoutPlan(rules: rules, images: images)
      let planned = turns(plan.inputs, plan.outputs, images)
      for (index, rule) in rules.enumerated() {
        #expect(fits(rule, plan.inputs[index], plan.outputs[index]))
      }
      let layouts = [Layout.channelsLast, .channelsFirst]
      var best = Int.max
      for bits in 0..<1 << (2 * count) {
        let inputs = (0..<count).map { layouts[bits >> $0 & 1] }
        let outputs = (0..<count).map { layouts[bits >> (count + $0) & 1] }
        guard rules.indices.allSatisfy({ fits(rules[$0], inputs[$0], outputs[$0]) }) else {
          continue
        }
        best = min(best, turns(inputs, outputs, images))
      }
      #expect(planned == best)
    }
  }

  private func fits(_ rule: LayoutRule, _ input: Layout, _ output: Layout) -> Bool {
    if case .fixed(let layout) = rule.input, layout != input { return false }
    if case .fixed(let layout) = rule.output, layout != output { return false }
    if case .free = rule.input, rule.input == rule.output { return input == output }
    return true
  }

  private func turns(_ inputs: [Layout], _ outputs: [Layout], _ images: [LayoutPlan.Image]) -> Int {
    images.reduce(0) { sum, image in
      let made = image.producer.map { outputs[$0] } ?? .channelsLast
      let isTurned =
        image.consumers.contains { inputs[$0] != made } || image.isOutput && made != .channelsLast
      return sum + (isTurned ? 1 : 0)
    }
  }
}
