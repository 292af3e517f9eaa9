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
missing_card_field = advice(
    "missing_card_field",
    "The card requires a field that it does not fill in.",
    "`require` names what has to be said of a model before it is given to others. Without it the model can be trained, "
    "and `gendsl export` refuses it, unless `--override REASON` says why it goes out all the same.",
    "Mitchell et al. 2019, Model Cards for Model Reporting",
)
