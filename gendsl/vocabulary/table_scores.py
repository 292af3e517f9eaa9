"""The scores of generated rows of tables."""

from gendsl.vocabulary.score_word import score
from gendsl.vocabulary.word import FreeName, OneOf, Parameter, Real, Text, Word

PARTS: dict[str, dict[str, str]] = {
    "utility": {"utility": "higher", "utility_real": ""},
    "detection": {"detection": "lower", "detection_linear": "lower"},
}

SCORES: tuple[Word, ...] = (
    score(
        "column_shapes",
        "How alike each column is, averaged: 1 minus the Kolmogorov-Smirnov distance of numbers and times, 1 minus the "
        "total-variation distance of categories. 100 % is the same; independent columns can have that too.",
        better="higher",
        source="Patki et al. 2016; SDMetrics, Column Shapes",
    ),
    score(
        "column_pairs",
        "How alike each pair of columns is, averaged: 1 minus half the difference of correlations of two columns of "
        "numbers, 1 minus the total-variation distance of the joint shares of others (numbers in 10 bins).",
        better="higher",
        source="Patki et al. 2016; SDMetrics, Column Pair Trends",
    ),
    score(
        "utility",
        "How well models that learn from samples predict a column of real rows that they have not seen: macro-averaged "
        "F1 of a category, R² of a number, the mean of a linear model, a random forest and a boosted forest. "
        "`utility_real` is that of the same models trained on as many real rows.",
        Parameter(name="target", kind=OneOf((FreeName(), Text())), doc="The column that is predicted."),
        better="higher",
        source="Esteban et al. 2017 (train on synthetic, test on real); Xu et al. 2019, section 5.1",
        example="utility target: job",
    ),
    score(
        "detection",
        "How well a classifier tells samples from held-out rows, the area under its ROC curve, cross-validated: 50 % "
        "is chance. `detection` is of a boosted forest, `detection_linear` of a logistic regression.",
        better="lower",
        source="Lopez-Paz & Oquab 2017 (classifier two-sample tests)",
    ),
    score(
        "closest_record",
        "A check of privacy: how far samples are from the closest training row, over how far held-out rows are, each "
        "at a low quantile. 1 is as near as rows that were never seen; near 0, training rows are copied.",
        Parameter(
            name="quantile", kind=Real(0.0, 1.0), default=0.05, doc="The quantile that is compared.", positional=False
        ),
        better="higher",
        source="Park et al. 2018 (table-GAN), section 5.2, distance to the closest record",
        example="closest_record quantile: 5%",
    ),
    score(
        "broken_rules",
        "The share of samples that break a rule which `data` says of rows: `unique`, `ordered`, `pattern`; beside it "
        "that of each rule by itself. A row is not `unique` where one before it has the same cells.",
        better="lower",
    ),
)
