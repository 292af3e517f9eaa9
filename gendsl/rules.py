"""Every rule of the checker, once: its code, its severity, and what `gendsl explain` says of it."""

from gendsl.export_rules import export_name as export_name
from gendsl.export_rules import missing_card_field as missing_card_field
from gendsl.export_rules import missing_sample as missing_sample
from gendsl.export_rules import not_portable as not_portable
from gendsl.rule import Rule as Rule
from gendsl.rule import advice as _advice
from gendsl.rule import error as _error
from gendsl.sequence_rules import bad_prompt as bad_prompt
from gendsl.sequence_rules import batch_sees_ahead as batch_sees_ahead
from gendsl.sequence_rules import idle_column as idle_column
from gendsl.sequence_rules import sees_ahead as sees_ahead

# Text and syntax
unreadable = _error(
    "unreadable",
    "The spec cannot be read.",
    "A spec is one file, or `-` for standard input; a folder, a missing file and a file without the right"
    " to read it are none.",
)
not_text = _error(
    "not_text", "The file is not UTF-8 text.", "A spec is UTF-8 text without NUL characters, of at most 2 MiB."
)
too_large = _error("too_large", "The file is beyond the size of a spec.", "A spec has at most 2 MiB of text.")
too_deep = _error(
    "too_deep",
    "Braces, brackets or parentheses are nested too deeply.",
    "The limit is 100 levels. Name inner parts with `block`.",
)
unclosed = _error(
    "unclosed",
    "A brace, bracket, parenthesis or text is never closed.",
    'Every `{`, `[`, `(` and `"` has its counterpart; a text ends on its line, and a `(` or `[` before the next brace.',
)
unopened = _error(
    "unopened", "A brace, bracket or parenthesis closes nothing.", "It has no counterpart before it in its block."
)
unknown_character = _error(
    "unknown_character",
    "A character that the language does not use.",
    "Outside texts and comments a spec is written in letters, digits, `_` and the signs of its syntax.",
)
unknown_escape = _error(
    "unknown_escape",
    "A backslash in a text before something that is no escape.",
    'The escapes are `\\"`, `\\\\`, `\\n` and `\\t`.',
)
number_tail = _error(
    "number_tail",
    "Letters follow a number directly.",
    "A unit stands behind a space (`500 steps`), and a name begins with a letter.",
)
number_range = _error(
    "number_range",
    "A number beyond the range of numbers.",
    "Numbers reach from 1e-308 to 1e308; a side of a size to a billion.",
)
brace_on_own_line = _error(
    "brace_on_own_line",
    "A `{` stands on a line of its own.",
    "A statement ends with its line, so its block begins on the same line.",
)
syntax = _error(
    "syntax",
    "The text does not follow the grammar.",
    "A statement is `head value, key: value { … }`, `name = value`, `name ~ distribution` or `param name "
    "= value`; layers are joined by `|`.",
)

# Names and arguments
unknown_word = _error(
    "unknown_word",
    "A word that the language does not know in its place.",
    "`gendsl words` lists every word by kind. Words stand where their kind is expected: layers in "
    "networks, scores in `evaluate`, and so on.",
)
unknown_name = _error(
    "unknown_name",
    "A name that nothing defines here.",
    "A name is a label or binding of the block, an input or argument, a binding of `train`, a top-level "
    "binding or param, a network, a data field, or a word of the vocabulary, in this order.",
)
unknown_member = _error(
    "unknown_member",
    "A member that its value does not have.",
    "Members belong to data fields (`image.channels`, `label.classes`, `text.vocabulary`, `row.width`), "
    "to losses (`hinge.generator`), and to the results of networks (`d(x).h`).",
)
used_before_definition = _error(
    "used_before_definition",
    "A binding or label is used before it is made.",
    "Definitions may follow their use; bindings and labels may not.",
)
circular = _error("circular", "A definition depends on itself.", "Bindings, blocks and imports must end somewhere.")
duplicate_name = _error(
    "duplicate_name",
    "A name is defined twice.",
    "Fields, networks and params share one namespace, and a binding keeps its value.",
)
duplicate_argument = _error(
    "duplicate_argument", "An argument is given twice.", "Each parameter takes one value, in its place or by its name."
)
unknown_argument = _error(
    "unknown_argument",
    "An argument that the word does not have.",
    "`gendsl explain WORD` lists the parameters of a word.",
)
too_many_arguments = _error(
    "too_many_arguments",
    "More values than the word takes.",
    "Further parameters are given by their names, as in `kernel: 3`.",
)
missing_argument = _error(
    "missing_argument",
    "A value that the word needs is not given.",
    "`gendsl explain WORD` tells which parameters have no default.",
)
wrong_type = _error(
    "wrong_type",
    "A value of another kind than its place takes.",
    "Numbers, sizes, texts, switches, quantities, ranges and words each have their places.",
)
out_of_range = _error(
    "out_of_range", "A number outside the range that its place allows.", "`gendsl explain WORD` tells the range."
)
not_whole = _error(
    "not_whole",
    "A size or count that is not a positive whole number.",
    "Constants are exact rationals, so `128 / 2^i` is a size as long as it comes out whole.",
)
bad_arithmetic = _error(
    "bad_arithmetic",
    "Arithmetic that has no result.",
    "Division by zero, powers beyond all bounds, and sums of quantities with different units have none.",
)
unknown_unit = _error(
    "unknown_unit",
    "A unit that its place does not take.",
    "Lengths of runs are steps, epochs or minutes; angles are degrees; patience is checks.",
)
not_a_param = _error(
    "not_a_param",
    "`--set`, a variant or a sweep names something that is no param.",
    "Only `param name = value` can be replaced from outside.",
)
path_outside = _error(
    "path_outside",
    "A path leaves the project's folder.",
    "Paths are relative to the spec, inside its folder: no `..`, no absolute path, no `~`, no URL, no "
    "link that leads out.",
)
import_failed = _error(
    "import_failed",
    "An imported file cannot be read.",
    "Imports are relative paths of `.gen` files inside the project's folder.",
)
import_content = _error(
    "import_content",
    "An imported file holds a statement that cannot be imported.",
    "Params, bindings, blocks and objectives are imported; `experiment` and the other blocks belong to "
    "the spec itself.",
)

# The shape of a spec
missing_experiment = _error(
    "missing_experiment",
    "A spec does not begin with `experiment NAME`.",
    "The name is the run's name, its folder's and its export's.",
)
missing_block = _error(
    "missing_block", "A block that every spec needs is missing.", "A spec has data, at least one network, and `train`."
)
duplicate_block = _error(
    "duplicate_block",
    "A block or statement that stands once at most stands twice.",
    "Its second place would replace the first silently.",
)
misplaced = _error(
    "misplaced",
    "A word stands where words of its kind have no place.",
    "Layers stand in networks and blocks, updates in `train`, scores in `evaluate`.",
)
needs_block = _error("needs_block", "A word that needs a block has none.", "Write `{ … }` behind it, on the same line.")
no_block = _error(
    "no_block", "A word that takes no block has one.", "Remove the `{ … }`, or end the statement before it."
)
no_chain = _error("no_chain", "Statements joined by `|` that are no layers.", "Only layers are joined by `|`.")
unreachable = _error(
    "unreachable",
    "A statement whose effect nothing can see.",
    "Layers behind the result, or whose value is dropped by `from`, would be built for nothing.",
)
unused_network = _error("unused_network", "A network that nothing uses.", "No update, sample or score calls it.")

bad_data = _error(
    "bad_data",
    "The data is not what the spec says.",
    "The declaration is held against the headers of the files: sizes, classes, splits.",
)

# Networks
shape_mismatch = _error(
    "shape_mismatch",
    "The layers do not give the result that the network declares.",
    "The checker follows the shapes from the inputs to the result. The batch axis is never written.",
)
layer_shape = _error(
    "layer_shape",
    "A layer cannot take the shape that comes to it.",
    "Shapes are written without the batch: height x width x channels, time x features, features.",
)
no_flow = _error(
    "no_flow", "A layer stands where no value flows.", "A network with several inputs has no flow until `from name`."
)
merge_mismatch = _error(
    "merge_mismatch",
    "Values of different shapes are joined.",
    "`add` and `multiply` need equal shapes, `concat` equal ones but for the last axis.",
)
push_pop = _error(
    "push_pop",
    "`push` and `pop` are not balanced.",
    "Each `pop` takes the value of the last `push` that is left; all must be taken.",
)
too_many_layers = _error(
    "too_many_layers",
    "A network of more than 100,000 layers.",
    "`repeat` is unrolled, so its count times its body is what is built.",
)
bad_result = _error(
    "bad_result",
    "A result type that no network can have.",
    "Results are a data field, logits(…), features(n), normal(n), bernoulli(field), categorical(n), or a "
    "list of these named by `output`.",
)
bad_input = _error(
    "bad_input",
    "An input type that no network can have.",
    "Inputs are a data field, a prior, `condition`, `time`, or a size.",
)

# Equations
type_mismatch = _error(
    "type_mismatch",
    "An expression of another type than its place takes.",
    "Expressions are tensors with shapes, scalars, distributions, conditions or networks.",
)
missing_input = _error(
    "missing_input",
    "A call leaves out an input that nothing can fill.",
    "An omitted prior is drawn and an omitted data field is this update's batch; a time or features must be given.",
)
no_minimize = _error(
    "no_minimize", "An update without exactly one `minimize`.", "Each update trains its networks by exactly one loss."
)
missing_optimizer = _error(
    "missing_optimizer",
    "An update without an optimizer.",
    "Say `with: adam(2e-4)` on the update, or `optimizer adam(2e-4)` in `train`.",
)
missing_length = _error(
    "missing_length",
    "A training without a length.",
    "Say `steps 10_000` or `epochs 20` in `train`, or `steps:` on every phase.",
)
no_gradient = _error(
    "no_gradient",
    "A loss that does not depend on the networks of its update.",
    "Its gradient would be zero, and nothing would be trained.",
)
unknown_score = _error(
    "unknown_score",
    "A condition reads a value that no score or loss gives.",
    "Monitors and `keep best` read the scores of `evaluate`.",
)

no_real_scores = _error(
    "no_real_scores",
    "`ada` where no update scores real pictures.",
    "The controller goes by the signs of the scores that a network gives to pictures of the data, in an update that "
    "trains it: the network returns logits of one channel, and is called with the data field itself.",
)
mixed_labels = _error(
    "mixed_labels",
    "`mixup` in a training that reads labels.",
    "A mixture of two pictures has the classes of both, and a `label` is one class.",
)
uneven_batch = _error(
    "uneven_batch",
    "The batch is not divisible by the replicas or parts.",
    "Each replica of `strategy mirrored(n)` and each part of `accumulate n` takes an equal share of the batch.",
)
needs_whole_batch = _error(
    "needs_whole_batch",
    "Something that needs whole batches stands beside `accumulate`.",
    "What `replay`, `moving_average` and `path_length` keep takes in a batch at once; `accumulate` goes through it in "
    "parts.",
)

nothing_trained = _error(
    "nothing_trained",
    "An update trains nothing but what is frozen.",
    "`freeze` keeps weights as they are. An update whose networks are frozen throughout would compute a loss for "
    "nothing: it belongs into the phases in which some of its weights may change.",
)

# Warnings and advice
missing_data = Rule(
    "missing_data",
    "warning",
    "The data is not there, so that some sizes stay unknown.",
    "Sizes that only the data knows are read from its headers. Until it is there they are symbols, and "
    "what depends on them is checked when the run starts.",
)
checkerboard = _advice(
    "checkerboard",
    "The kernel of an `up_conv` is not divisible by its stride.",
    "Its output positions are covered unevenly, which shows as a checkerboard pattern. Use a kernel "
    "divisible by the stride, or `upsample` and `conv`.",
    "Odena, Dumoulin & Olah 2016, Deconvolution and Checkerboard Artifacts",
)
output_range = _advice(
    "output_range",
    "The output's activation does not cover the data's range.",
    "tanh gives -1..1 and sigmoid 0..1: the generator can never reach the rest of the range, or half of "
    "its output is never real.",
    "Radford et al. 2016, section 3",
)
double_sigmoid = _advice(
    "double_sigmoid",
    "A sigmoid stands before a loss that takes logits.",
    "The losses apply the sigmoid themselves, in a way that is stable; a second one flattens the gradient.",
    "TensorFlow, sigmoid_cross_entropy_with_logits",
)
batch_norm_penalty = _advice(
    "batch_norm_penalty",
    "Batch norm in a network under a gradient penalty.",
    "The penalty is of each example's own gradient, and batch norm couples the examples. Use layer_norm "
    "or instance_norm.",
    "Gulrajani et al. 2017, section 4",
)
no_lipschitz = _advice(
    "no_lipschitz",
    "A Wasserstein loss without a Lipschitz constraint on the critic.",
    "The loss is unbounded. Add a gradient penalty, `constrain: spectral_norm` or `constrain: clip(0.01)`.",
    "Arjovsky et al. 2017, section 3",
)
batch_coupled = _advice(
    "batch_coupled",
    "A layer or a loss couples the examples of a batch that is shared out or gone through in parts.",
    "Replicas, and the parts of `accumulate`, each see their own examples only. Gradients are averaged, which is exact "
    "where every example has its own loss; batch norm, minibatch statistics and functions of a batch's mean are not "
    "the same on a part. `batch_norm synchronized: on` takes its moments over all replicas.",
    "Ioffe & Szegedy 2015; Goyal et al. 2017, section 2.3",
)
untrained_network = _advice(
    "untrained_network",
    "A network that no update trains.",
    "It keeps its initial weights for ever.",
    "the spec itself: no update names it",
)
no_gradient_through_draw = _advice(
    "no_gradient_through_draw",
    "A gradient is needed through a discrete draw.",
    "A discrete draw passes no gradient, so the network that gave the distribution learns nothing from it.",
    "Kingma & Welling 2013, section 2.4",
)
unscorable = _error(
    "unscorable",
    "A score that this spec can never have.",
    "A score needs something to look at: features that fit the data, a classifier's classes, labels that samples are "
    "drawn with, a prior to walk through, an encoder and a decoder, or a file that is a Keras model.",
)
idle_bias = Rule(
    "idle_bias",
    "hint",
    "A bias that the norm behind it cancels.",
    "Batch norm and its kin subtract the mean, and with it every bias: `bias: off` saves the weights.",
    "Ioffe & Szegedy 2015, section 3.2",
)
never_dropped = _advice(
    "never_dropped",
    "An input may be none, and in training it never is.",
    "Classifier-free guidance leads away from what a network gives without its condition; where no example loses its "
    "condition in training, the network has not learned what that is.",
    "Ho & Salimans 2022, algorithm 1",
)
unused_binding = _advice(
    "unused_binding",
    "A binding or param that nothing uses.",
    "It is probably a leftover, or its name is misspelt where it is used.",
    "the spec itself: nothing reads it",
)

RULES: tuple[Rule, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Rule))
BY_CODE: dict[str, Rule] = {rule.code: rule for rule in RULES}
