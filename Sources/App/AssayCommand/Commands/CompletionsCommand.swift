import AssayBase

let completionsCommand = CommandSpec(
  name: "completions",
  summary: "print completions for bash, zsh or fish",
  operands: [Operand(word: "SHELL", help: "bash, zsh or fish")],
  examples: [
    (
      "assay completions bash > ~/.local/share/bash-completion/completions/assay",
      "install them for bash"
    )
  ]
) { arguments, console in
  let shell = arguments.operands[0]
  guard Completions.shells.contains(shell) else {
    throw Diagnostic(
      "CLI004",
      "there are no completions for '\(shell)'",
      remedy: "one of \(Completions.shells.joined(separator: ", "))"
    )
  }
  console.output(Completions.script(for: shell, Assay.commands))
  return .done
}
