import AssayBase
import AssayTestSupport
import Testing

@testable import AssayCommand

struct GrammarTests {
  @Test("the help of every command is as it was reviewed")
  func help() throws {
    var text = Help.overview(Assay.commands)
    for spec in Assay.commands { text += "\n---- \(spec.name)\n" + Help.command(spec) }
    #expect(Golden.mismatch(text, "Tests/CommandTests/Goldens/help.txt") == nil)
  }

  @Test("completions are as they were reviewed", arguments: Completions.shells)
  func completions(shell: String) throws {
    #expect(
      Golden.mismatch(
        Completions.script(for: shell, Assay.commands),
        "Tests/CommandTests/Goldens/completions.\(shell)"
      ) == nil
    )
  }

  @Test("options stand before, behind and joined to their values")
  func options() throws {
    let parsed = try Arguments(
      ["-o", "a.tflite", "in.h5", "--recipe=static_int8", "--json", "-", "--", "-x"],
      spec: spec(operands: 2)
    )
    #expect(parsed.operands == ["in.h5", "-x"])
    #expect(parsed.value("--output") == "a.tflite")
    #expect(parsed.value("--recipe") == "static_int8")
    #expect(parsed.value("--json") == "-")
  }

  @Test("an unknown option, a missing value and a wrong word are told together, with a guess")
  func faults() {
    let error = #expect(throws: Diagnostics.self) {
      try Arguments(["m", "--recip", "x", "--mode", "fst", "--output"], spec: spec(operands: 1))
    }
    // `--recip` is unknown, so its value counts as a word too many.
    #expect(error?.all.map(\.code) == ["CLI002", "CLI004", "CLI003", "CLI005"])
    #expect(error?.all[0].remedy == "did you mean --recipe?")
    #expect(error?.all[1].remedy?.hasSuffix("did you mean fast?") == true)
  }

  @Test("numbers are checked")
  func numbers() throws {
    let parsed = try Arguments(["m", "--count", "0", "--list", "1,2,x"], spec: spec(operands: 1))
    #expect(throws: Diagnostic.self) { try parsed.integer("--count") }
    #expect(throws: Diagnostic.self) { try parsed.integers("--list") }
  }

  @Test("units of constraints")
  func units() {
    #expect(TryPlan.fraction("1%") == 0.01)
    #expect(TryPlan.fraction("0.5") == 0.5)
    #expect(TryPlan.fraction("x%") == nil)
    #expect(TryPlan.quantity("5ms", ["ms": 1e6]) == 5e6)
    #expect(TryPlan.quantity("5 m", ["ms": 1e6]) == nil)
    #expect(TryPlan.quantity("-1ms", ["ms": 1e6]) == nil)
  }

  private func spec(operands: Int) -> CommandSpec {
    CommandSpec(
      name: "test",
      summary: "",
      operands: (0..<operands).map { Operand(word: "WORD\($0)", help: "a word") },
      options: [
        Option("--output", short: "-o", .value("FILE"), ""), Option("--recipe", .value("NAME"), ""),
        Option("--mode", .choice(["fast", "slow"]), ""), Option("--count", .value("N"), ""),
        Option("--list", .value("N,N"), ""),
      ]
    ) { _, _ in .done }
  }
}
