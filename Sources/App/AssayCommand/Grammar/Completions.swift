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

  /// The first words of commands, and for those of a group the words that may follow.
  private static func groups(_ commands: [CommandSpec]) -> [(name: String, members: [String])] {
    var result: [(name: String, members: [String])] = []
    for command in commands {
      let member = command.name.dropFirst(command.group.count + 1)
      let index = result.firstIndex { $0.name == command.group }
      if index == nil { result.append((command.group, [])) }
      if !member.isEmpty { result[index ?? result.count - 1].members.append(String(member)) }
    }
    return result
  }

  private static func bash(_ commands: [CommandSpec]) -> String {
    let groups = groups(commands)
    let members = groups.filter { !$0.members.isEmpty }
    var text = """
      _assay() {
        local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"
        local command="${COMP_WORDS[1]}"
        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ]; then
          COMPREPLY=($(compgen -W "\(groups.map(\.name).joined(separator: " "))" -- "$word"))
          return
        fi

      """
    for group in members {
      let words = group.members.joined(separator: " ")
      text += """
          if [ "$command" = \(group.name) ]; then
            if [ "$COMP_CWORD" -eq 2 ]; then
              COMPREPLY=($(compgen -o default -W "\(words)" -- "$word"))
              return
            fi
            case " \(words) " in *" ${COMP_WORDS[2]} "*) command="$command ${COMP_WORDS[2]}";; esac
          fi

        """
    }
    text += "  case \"$command $before\" in\n"
    for command in commands {
      for option in command.allOptions {
        guard case .choice(let words) = option.argument else { continue }
        text +=
          "    \"\(command.name) \(option.name)\") COMPREPLY=($(compgen -W "
          + "\"\(words.joined(separator: " "))\" -- \"$word\")); return;;\n"
      }
    }
    text += "  esac\n  case \"$command\" in\n"
    for command in commands {
      let names = command.allOptions.map(\.name).joined(separator: " ")
      let pattern = command.name.contains(" ") ? "\"\(command.name)\"" : command.name
      text +=
        "    \(pattern)) [[ \"$word\" == -* ]] && COMPREPLY=($(compgen -W \"\(names)\" -- "
        + "\"$word\"));;\n"
    }
    text += "  esac\n}\ncomplete -o default -F _assay assay\n"
    return text
  }

  private static func zsh(_ commands: [CommandSpec]) -> String {
    let groups = groups(commands)
    var text = "#compdef assay\n_assay() {\n  local -a commands\n  commands=(\n"
    for group in groups {
      let lone = commands.first { $0.name == group.name }
      let summary = lone?.summary ?? group.members.joined(separator: ", ")
      text += "    '\(group.name):\(escaped(summary))'\n"
    }
    text += """
        )
        if (( CURRENT == 2 )); then _describe command commands; return; fi
        local command="$words[2]"

      """
    for group in groups where !group.members.isEmpty {
      let words = group.members.joined(separator: " ")
      text += """
          if [[ "$command" == \(group.name) ]]; then
            if (( CURRENT == 3 )); then compadd \(words); _files; return; fi
            case " \(words) " in *" $words[3] "*) command="$command $words[3]";; esac
          fi

        """
    }
    text += "  case \"$command\" in\n"
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
      let pattern = command.name.contains(" ") ? "\"\(command.name)\"" : command.name
      text += "    \(pattern)) _arguments \(options.joined(separator: " ")) '*:file:_files';;\n"
    }
    text += "  esac\n}\n_assay \"$@\"\n"
    return text
  }

  private static func fish(_ commands: [CommandSpec]) -> String {
    var text = ""
    var offered: Set<String> = []
    for command in commands {
      let member = command.name.dropFirst(command.group.count + 1)
      if offered.insert(command.group).inserted {
        let summary = member.isEmpty ? command.summary : "commands: assay help \(command.group)"
        text +=
          "complete -c assay -n __fish_use_subcommand -a \(command.group) -d "
          + "'\(escaped(summary))'\n"
      }
      var condition = "__fish_seen_subcommand_from \(command.group)"
      if !member.isEmpty {
        text +=
          "complete -c assay -n '\(condition)' -a \(member) -d '\(escaped(command.summary))'\n"
        condition += "; and __fish_seen_subcommand_from \(member)"
      }
      for option in command.allOptions {
        let rest =
          switch option.argument {
          case .flag: ""
          case .choice(let words): " -x -a '\(words.joined(separator: " "))'"
          case .value, .repeated: " -r"
          }
        text +=
          "complete -c assay -n '\(condition)' "
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
