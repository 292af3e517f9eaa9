"""The grammar of gendsl as a data file: `gen.lark` beside this module is the syntax, and names no word of the language."""
