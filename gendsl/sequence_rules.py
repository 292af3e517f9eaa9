"""The rules of the checker about sequences of tokens, and about the columns of tables."""

from gendsl.rule import advice, error

bad_prompt = error(
    "bad_prompt",
    "A text that sequences cannot begin or end with.",
    "A prompt has tokens that the network knows, and room behind it in its window and in `length`.",
)
sees_ahead = error(
    "sees_ahead",
    "A network that is to say what it sees.",
    "Where a network reads later places of a sequence, the next token is among what it is given: it learns to copy it, "
    "its loss falls to nothing, and what it generates is no text. Attention is to be `causal: on`; recurrent layers "
    "read forwards.",
)
batch_sees_ahead = advice(
    "batch_sees_ahead",
    "A norm of a batch in a network that is to say what follows.",
    "In training a place is normalised by moments in which later places take part, and the token that it is to say is "
    "among them; in generation by moments that were kept. So the loss in training is too good, and that of other text "
    "is not.",
    "Ioffe & Szegedy 2015, section 3.2: the moments are taken over all places, too",
)
idle_column = advice(
    "idle_column",
    "A column of a table that is the same in all rows, or empty.",
    "It teaches nothing, and a score of columns is too good by it. An empty one is left out, unless the spec says "
    "otherwise; one that is the same in all rows is learned and written.",
    "the table itself: all of its rows are read",
)
