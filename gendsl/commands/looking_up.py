"""`gendsl explain`, `words` and `completion` as commands: what each is, and the options that it takes."""

import argparse

from gendsl.commands.parsing import Command


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("word", metavar="WORD-OR-RULE", help="a word of the language, or the code of a diagnostic")


def _words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", metavar="KIND", help="only the words of a kind: layer, loss, optimizer, source…")
    parser.add_argument(
        "--format", choices=("text", "json", "names", "kinds"), default="text", help="text is the default"
    )


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell that completes")


LOOKING_UP: tuple[Command, ...] = (
    Command(
        "explain",
        "tell what a word or a rule is",
        "Explains a word of the language (its parameters, defaults, shapes, source), or the rule of a diagnostic.",
        (
            ("gendsl explain conv", "a layer"),
            ("gendsl explain shape_mismatch", "a rule"),
            ("gendsl explain keras.Conv3D", "a layer by its name in Keras"),
        ),
        _explain,
    ),
    Command(
        "words",
        "list the vocabulary, by kind",
        "Lists the words of the language with a line about each.",
        (
            ("gendsl words", "all"),
            ("gendsl words --kind layer", "the layers"),
            ("gendsl words --format json", "for a program"),
        ),
        _words,
    ),
    Command(
        "completion",
        "print the completion script of a shell",
        "Prints a script that makes the shell complete commands, options, words and specs.",
        (
            ('eval "$(gendsl completion bash)"', "in ~/.bashrc"),
            ('eval "$(gendsl completion zsh)"', "in ~/.zshrc"),
            ("gendsl completion fish | source", "in ~/.config/fish/config.fish"),
        ),
        _completion,
    ),
)
