"""The grammar of gendsl, `gen.lark`: the syntax, which names no word of the language."""
