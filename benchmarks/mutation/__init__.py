"""Damage to good specs, by kind, and what the checker and the trainer make of it; for benchmarks/mutants.py."""

from mutation import harmless, signs, statements, words
from mutation.good import Kind

HARMLESS: tuple[Kind, ...] = (
    harmless.harmless_parentheses,
    harmless.harmless_lines,
    harmless.harmless_order,
    harmless.harmless_numbers,
)
KINDS: tuple[Kind, ...] = (
    signs.misspelt,
    signs.bracket_lost,
    signs.bracket_doubled,
    signs.sign_lost,
    signs.sign_changed,
    signs.operator_changed,
    signs.number_changed,
    signs.size_changed,
    signs.range_changed,
    signs.unit_changed,
    words.argument_dropped,
    words.argument_retyped,
    words.argument_added,
    words.arguments_swapped,
    words.keyword_renamed,
    words.networks_swapped,
    words.name_swapped,
    words.word_replaced,
    words.function_replaced,
    words.result_changed,
    words.input_changed,
    words.member_changed,
    words.label_renamed,
    words.label_lost,
    statements.statement_dropped,
    statements.layer_dropped,
    statements.statement_doubled,
    statements.statements_swapped,
    statements.statement_moved,
    signs.switched,
)
