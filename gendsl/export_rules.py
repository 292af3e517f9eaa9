"""The rules of the checker about what is given to others: samples, exports, cards."""

from gendsl.rule import advice, error

missing_sample = error(
    "missing_sample",
    "Nothing says what a sample is.",
    "Without a network named `generator` a spec needs `sample { name = … }`.",
)
export_name = error(
    "export_name",
    "An exported model has no name that can be served, or one that another has.",
    "The name becomes one of a folder and part of a URL: letters, digits, `_`, `-` and `.`, beginning with none of the "
    "last two. Of each form there is one model of a name; without `name:` it is the experiment's.",
)
not_portable = error(
    "not_portable",
    "A form of export that cannot hold the samples of this spec.",
    "LiteRT and ONNX take a network, and a sampler's loop; the loop that generates tokens, which keeps what the "
    "network made of earlier ones, converts to neither. Of samples that are such tokens the network is exported "
    "alone, and the loop is the caller's; of what is made from them there is no such part.",
)
missing_card_field = advice(
    "missing_card_field",
    "The card requires a field that it does not fill in.",
    "`require` names what has to be said of a model before it is given to others. Without it the model can be trained, "
    "and `gendsl export` refuses it, unless `--override REASON` says why it goes out all the same.",
    "Mitchell et al. 2019, Model Cards for Model Reporting",
)
