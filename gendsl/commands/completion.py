"""A shell's name in, the script out that completes commands, options, words and specs in it."""

import argparse

from gendsl.commands.options import COMMANDS
from gendsl.commands.parsing import parser_of
from gendsl.vocabulary import WORDS


def script(shell: str) -> str:
    """The completion script of bash, zsh or fish."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]()


def _options(name: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """The options of a command: the option, its help, its choices; of a word of the language, that category's words."""
    out = []
    for action in parser_of(COMMANDS[name])._actions:
        choices = tuple(map(str, action.choices or list(WORDS.get(str(action.metavar).lower(), {}))))
        out += [(option, action.help or "", choices) for option in action.option_strings]
    return out


def _positional_choices(name: str) -> tuple[str, ...]:
    actions: list[argparse.Action] = parser_of(COMMANDS[name])._actions
    return tuple(str(c) for action in actions if not action.option_strings for c in action.choices or ())


def _bash() -> str:
    cases = []
    for name in COMMANDS:
        words = " ".join([option for option, _, _ in _options(name)] + list(_positional_choices(name)))
        cases.append(f"    {name}) words='{words}' ;;")
    choices = [
        f"    {name}:{option}) COMPREPLY=($(compgen -W '{' '.join(values)}' -- \"$current\")); return ;;"
        for name in COMMANDS
        for option, _, values in _options(name)
        if values
    ]
    lines = "\n".join
    return f"""# completion of gendsl for bash: eval "$(gendsl completion bash)"
_gendsl() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}"
  local command="${{COMP_WORDS[1]}}" words='' templates
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{" ".join(COMMANDS)} --help --version' -- "$current")); return
  fi
  case "$command:$previous" in
{lines(choices)}
    words:--kind) COMPREPLY=($(compgen -W "$(gendsl words --format kinds 2>/dev/null)" -- "$current")); return ;;
    new:--template)
      templates="$(gendsl new --list 2>/dev/null | cut -d' ' -f1)"
      COMPREPLY=($(compgen -W "$templates" -- "$current")); return ;;
  esac
  case "$command" in
{lines(cases)}
  esac
  if [ "$command" = explain ]; then words="$words $(gendsl words --format names 2>/dev/null)"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  case "$command" in
    check|plan|data|run|verify|launch|fmt)
      COMPREPLY+=($(compgen -f -X '!*.gen' -- "$current") $(compgen -d -S / -- "$current")) ;;
    resume|sample|export|report) COMPREPLY+=($(compgen -d -- "$current")) ;;
  esac
}}
complete -F _gendsl gendsl
"""


def _zsh() -> str:
    commands = "\n".join(f"    '{name}:{command.summary}'" for name, command in COMMANDS.items())
    cases = []
    for name in COMMANDS:
        parts = []
        for option, help, values in _options(name):
            text = help.replace("'", "").replace("[", "(").replace("]", ")").replace(":", " -")
            takes = f":value:({' '.join(values)})" if values else ""
            parts.append(f"'{option}[{text}]{takes}'")
        rest = {
            "explain": "'*:word:($(gendsl words --format names 2>/dev/null))'",
            "completion": "'1:shell:(bash zsh fish)'",
            "resume": "'1:run:_files -/'",
            "sample": "'1:run:_files -/'",
            "export": "'1:run:_files -/'",
            "report": "'1:run:_files -/'",
            "evaluate": "'1:run:_files -/'",
            "compare": "'*:run:_files -/'",
            "words": "",
            "new": "",
        }.get(name, "'*:spec:_files -g \"*.gen\"'")
        cases.append(f"    {name}) _arguments {' '.join([*parts, rest]).strip()} ;;")
    body = "\n".join(cases)
    return f"""#compdef gendsl
# completion of gendsl for zsh: eval "$(gendsl completion zsh)"
_gendsl() {{
  local -a commands
  commands=(
{commands}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command="${{words[2]}}"
  shift words; (( CURRENT-- ))
  case "$command" in
{body}
  esac
}}
compdef _gendsl gendsl
"""


def _fish() -> str:
    out = ["# completion of gendsl for fish: gendsl completion fish | source", "complete -c gendsl -f"]
    for name, command in COMMANDS.items():
        out.append(f"complete -c gendsl -n __fish_use_subcommand -a {name} -d {_quoted(command.summary)}")
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        for option, help, values in _options(name):
            flag = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
            takes = f" -x -a {_quoted(' '.join(values))}" if values else ""
            out.append(f"complete -c gendsl {seen} {flag}{takes} -d {_quoted(help)}")
        if values := _positional_choices(name):
            out.append(f"complete -c gendsl {seen} -a {_quoted(' '.join(values))}")
        if name in ("check", "plan", "data", "run", "verify", "launch", "fmt"):
            out.append(f"complete -c gendsl {seen} -k -a '(__fish_complete_suffix .gen)'")
        elif name in ("resume", "sample", "evaluate", "compare", "export", "report"):
            out.append(f"complete -c gendsl {seen} -a '(__fish_complete_directories)'")
        elif name == "explain":
            out.append(f"complete -c gendsl {seen} -a '(gendsl words --format names)'")
    return "\n".join(out) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
