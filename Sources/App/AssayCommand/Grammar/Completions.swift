/// Shell completions, made from the grammar.
enum Completions {
  /// The shells that are served.
  static let shells = ["bash", "zsh", "fish"]

  /// The script for one of `shells`.
  static func script(for shell: String, _ commands: [CommandSpec]) -> String {
    let visible = commands.filter { !$0.isHidden }
    return switch shell {
    case "zsh": zsh(visible)
    case "fish": fish(visible)
    default: bash(visible)
    }
  }

  private static func bash(_ commands: [CommandSpec]) -> String {
    var text = """
      _assay() {
        local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ]; then
          COMPREPLY=($(compgen -W "\(commands.map(\.name).joined(separator: " "))" -- "$word"))
          return
        fi
        case "${COMP_WORDS[1]} $before" in

      """
    for command in commands {
      for option in command.allOptions {
        guard case .choice(let words) = option.argument else { continue }
        text +=
          "    \"\(command.name) \(option.name)\") COMPREPLY=($(compgen -W "
          + "\"\(words.joined(separator: " "))\" -- \"$word\")); return;;\n"
      }
    }
    text += "  esac\n  case \"${COMP_WORDS[1]}\" in\n"
    for command in commands {
      let names = command.allOptions.map(\.name).joined(separator: " ")
      text +=
        "    \(command.name)) [[ \"$word\" == -* ]] && COMPREPLY=($(compgen -W \"\(names)\" -- "
        + "\"$word\"));;\n"
    }
    text += "  esac\n}\ncomplete -o default -F _assay assay\n"
    return text
  }

  private static func zsh(_ commands: [CommandSpec]) -> String {
    var text = "#compdef assay\n_assay() {\n  local -a commands\n  commands=(\n"
    for command in commands { text += "    '\(command.name):\(escaped(command.summary))'\n" }
    text += """
        )
        if (( CURRENT == 2 )); then _describe command commands; return; fi
        case "$words[2]" in

      """
    for command in commands {
      let options = command.allOptions.map { option in
        let rest =
          switch option.argument {
          case .flag: ""
          case .choice(let words): ":value:(\(words.joined(separator: " ")))"
          case .value, .repeated: ":value:_files"
          }
        return "'\(option.name)[\(escaped(option.help))]\(rest)'"
      }
      text +=
        "    \(command.name)) _arguments \(options.joined(separator: " ")) '*:file:_files';;\n"
    }
    text += "  esac\n}\n_assay \"$@\"\n"
    return text
  }

  private static func fish(_ commands: [CommandSpec]) -> String {
    var text = ""
    for command in commands {
      text +=
        "complete -c assay -n __fish_use_subcommand -a \(command.name) -d "
        + "'\(escaped(command.summary))'\n"
      for option in command.allOptions {
        let rest =
          switch option.argument {
          case .flag: ""
          case .choice(let words): " -x -a '\(words.joined(separator: " "))'"
          case .value, .repeated: " -r"
          }
        text +=
          "complete -c assay -n '__fish_seen_subcommand_from \(command.name)' "
          + "-l \(option.name.dropFirst(2))\(rest) -d '\(escaped(option.help))'\n"
      }
    }
    return text
  }

  /// Text without characters that mean something inside single quotes or brackets.
  private static func escaped(_ text: String) -> String {
    String(text.map { "'[]:".contains($0) ? " " : $0 })
  }
}
